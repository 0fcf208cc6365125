"""The one exception that is a person's to mend; everything else is a bug and shows its traceback."""


class UserError(Exception):
    """What is wrong, where, and what to do about it; commands print it as one line and exit with status 2."""

    def __init__(self, what: str, *, where: str = "", todo: str = "") -> None:
        super().__init__(what, where, todo)
        self.what, self.where, self.todo = what, where, todo

    def __str__(self) -> str:
        return " – ".join(part for part in (self.what, self.where, self.todo) if part).replace("\n", " ")
