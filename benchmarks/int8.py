"""Sizes and one-thread latencies of the networks of the published configs, float32 against int8, in one process.

    python3 benchmarks/int8.py

Neither depends on what a network has learnt, so its weights are random here. 3.5 s of features, without the front end
(benchmarks/front_end.py has that). The least of many rounds, the three forms of a config in turns.
"""

import numpy as np
from nemo.collections.asr.models import EncDecCTCModel
from omegaconf import OmegaConf

from spoken_numbers.deploy.dynamic import dynamic_forms
from spoken_numbers.deploy.network import prepared
from spoken_numbers.deploy.network_graph import network_graph
from spoken_numbers.deploy.run import latencies
from spoken_numbers.deploy.static import quantize_static, trained_ranges
from spoken_numbers.training.command import CONF, composed

CONFIGS = ["quickstart", "quartznet_5x1", "quartznet_5x1_released", "quartznet5x3", "quartznet5x3_nvidia"]
SECONDS, ROUNDS = 3.5, 60


def main() -> None:
    print("| config | frame | fp32 | int8 | fp32 | static int8 | best dynamic |\n|---|---|---|---|---|---|---|")
    for name in CONFIGS:
        cfg = OmegaConf.to_container(composed(CONF / f"{name}.yaml", ["augment=none"]), resolve=True)["model"]
        del cfg["train_ds"], cfg["validation_ds"]
        network = prepared(network_graph(EncDecCTCModel(cfg=OmegaConf.create(cfg))))
        static = quantize_static(network, trained_ranges(network, 5.0))
        front, stride = cfg["preprocessor"], cfg["encoder"]["jasper"][0]["stride"][0]
        frames = round(SECONDS / front["window_stride"])
        noise = np.random.default_rng(0).standard_normal((1, front["features"], frames), np.float32)
        forms = [network, static, *(form(network) for form in dynamic_forms().values())]
        exact, integers, *dynamic = latencies(forms, (noise, np.array([frames])), ROUNDS)
        sizes = f"{network.ByteSize() / 1e6:.2f} MB | {static.ByteSize() / 1e6:.2f} MB"
        times = f"{1e3 * exact:.2f} ms | {1e3 * integers:.2f} ms ({exact / integers:.1f}×)"
        best = f"{1e3 * min(dynamic):.2f} ms ({exact / min(dynamic):.1f}×)"
        frame = f"{1e3 * front['window_stride'] * stride:.0f} ms"
        print(f"| `{name}` | {frame} | {sizes} | {times} | {best} |")


main()
