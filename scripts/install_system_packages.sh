#!/bin/sh
# Install what is missing of the system packages, and of those named, or print the command and stop where there is no right to.
set -eu

python=${PYTHON:-python3}
if ! "$python" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))"; then
    echo "error: Python 3.11 or 3.12 is needed – $python – name another by make PYTHON=/path/to/python3.11" >&2
    exit 2
fi

packages="sox libsox-fmt-all libsndfile1 ffmpeg espeak-ng flite festival festvox-kallpc16k festvox-kdlpc16k festvox-us-slt-hts libportaudio2 $*"
"$python" -c "import ensurepip, venv" 2>/dev/null || packages="python3-venv $packages"

missing=""
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "ok installed" || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
    root=""
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    root="sudo "
else
    echo "error: system packages are missing – no right to install them here – run: sudo apt-get update && sudo $install" >&2
    exit 2
fi
echo "+ ${root}apt-get update && $root$install"
export DEBIAN_FRONTEND=noninteractive
${root}apt-get update -qq
${root}$install -qq >/dev/null
