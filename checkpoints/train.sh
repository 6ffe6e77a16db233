#!/usr/bin/env bash
# Trains the bundled runs anew: bash checkpoints/train.sh [run ...]
# Equal machines give equal bytes; others give the same figures to within their rounding.
set -euo pipefail
cd "$(dirname "$0")/.."

storybook="--data storybook --network lstm --epochs 15 --gradient-clip 5 --threads 1 --precision fp32"
mnist="--data mnist --network conv --batch-size 128 --epochs 15 --gradient-clip 5 --threads 1 --precision fp32"
every_tau="--head rms-scaler --tau amortised --tau-max 0.95"

train() {
    rm -rf "checkpoints/$1"
    # shellcheck disable=SC2086
    BNVAE_MAPS=0 BNVAE_CHECKPOINTS=checkpoints python -m bnvae train --run "$1" $2 --seed 0 --record-every 20
}

all="storybook-plain storybook-scaler mnist-plain mnist-scaler storybook-amortised mnist-amortised"
for run in "${@:-$all}"; do
    for name in $run; do
        case $name in
            storybook-plain) train "$name" "$storybook --head gaussian" ;;
            storybook-scaler) train "$name" "$storybook --head rms-scaler --tau 0.5" ;;
            mnist-plain) train "$name" "$mnist --head gaussian" ;;
            mnist-scaler) train "$name" "$mnist --head rms-scaler --tau 0.3" ;;
            storybook-amortised) train "$name" "$storybook $every_tau --epochs 10" ;;
            mnist-amortised) train "$name" "$mnist $every_tau --epochs 5" ;;
            *) echo "unknown run: $name" >&2; exit 2 ;;
        esac
        case $name in mnist-*) examples=1000 ;; *) examples=0 ;; esac
        BNVAE_CHECKPOINTS=checkpoints python -m bnvae evaluate "$name" --samples 500 --examples "$examples"
    done
done
for data in storybook mnist; do  # each pair's own maps, and the two in one frame
    rm -f "checkpoints/$data-plain/"aligned-*.npz
    case $data in mnist) examples=1500 ;; *) examples=0 ;; esac  # as many pictures as leave a run below 3 MB
    BNVAE_CHECKPOINTS=checkpoints python -m bnvae project "$data-plain" "$data-scaler" --with-data --examples "$examples"
done
# Films of the trainings; those of the MNIST runs would make them larger than 3 MB, and are made when they are asked for.
BNVAE_CHECKPOINTS=checkpoints python -m bnvae project storybook-plain storybook-scaler --method film
