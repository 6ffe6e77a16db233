#!/usr/bin/env bash
# Makes the bundled runs anew, with their figures, maps and film strips: bash checkpoints/train.sh [run ...]
# STEPS="train evaluate project" names the steps to take; STEPS=list names the runs. Equal machines give equal bytes; others give the same figures
# to within their rounding.
set -euo pipefail
cd "$(dirname "$0")/.."
export BNVAE_CHECKPOINTS=checkpoints BNVAE_MAPS=0
STEPS=${STEPS:-train evaluate project}

common="--threads 1 --precision fp32 --record-every 20 --gradient-clip 5"
storybook="--data storybook --network lstm --bidirectional --pooling max --hidden-units 128 --embedding-units 96
    --latent-dimensions 32 --dropout 0.1 --batch-size 32 --learning-rate 0.003 --epochs 8 $common"
mnist="--data mnist --network conv --latent-dimensions 16 --batch-size 128 --epochs 15 $common"
digits="--data digits --network mlp --latent-dimensions 16 --batch-size 64 --epochs 100 $common"

heads="storybook-plain storybook-scaler storybook-bn-mean storybook-ln-mean storybook-bn-scaler"
taus="digits-tau-0.1 digits-tau-0.3 digits-tau-0.5 digits-tau-0.7 digits-tau-0.9"
every="$heads mnist-plain mnist-scaler $taus digits-amortised"

train() {
    rm -rf "checkpoints/$1"
    # shellcheck disable=SC2086
    python -m bnvae train --quiet --run "$1" --seed 0 $2
}

train_named() {
    case $1 in
        storybook-plain) train "$1" "$storybook --head gaussian" ;;
        storybook-scaler) train "$1" "$storybook --head rms-scaler --tau 0.8" ;;
        storybook-bn-mean) train "$1" "$storybook --head bn-mean --gamma 0.9" ;;
        storybook-ln-mean) train "$1" "$storybook --head ln-mean --gamma 0.9" ;;
        storybook-bn-scaler) train "$1" "$storybook --head bn-scaler --tau 0.8" ;;
        mnist-plain) train "$1" "$mnist --head gaussian" ;;
        mnist-scaler) train "$1" "$mnist --head rms-scaler --tau 0.3" ;;
        digits-amortised) train "$1" "$digits --head rms-scaler --tau amortised --tau-max 0.95" ;;
        digits-tau-*)
            rm -rf "checkpoints/$1"
            # shellcheck disable=SC2086
            python -m bnvae sweep --quiet --run digits --seed 0 --tau "${1#digits-tau-}" $digits --head rms-scaler ;;
        *) echo "unknown run: $1" >&2; exit 2 ;;
    esac
}

evaluate() {
    case $1 in
        mnist-*) python -m bnvae evaluate "$1" --samples 500 --examples 1000 ;;
        storybook-*) python -m bnvae evaluate "$1" --samples 500 --factor place tense who mood ;;
        *) python -m bnvae evaluate "$1" --samples 500 ;;
    esac
}

# Maps, pairs in one frame as well, and what the Scalers decode over tau. Of MNIST as many images as leave a run below
# 3 MB.
project() {
    rm -f checkpoints/*/aligned-*.npz
    python -m bnvae project storybook-plain storybook-scaler --with-data
    python -m bnvae project mnist-plain mnist-scaler --with-data --examples 1000
    for run in storybook-bn-mean storybook-ln-mean storybook-bn-scaler $taus digits-amortised; do
        python -m bnvae project "$run" --with-data
    done
    python -m bnvae project storybook-plain storybook-scaler --method film
    # shellcheck disable=SC2086
    python -m bnvae project --method strip storybook-scaler storybook-bn-scaler mnist-scaler $taus \
        digits-amortised
}

runs=${*:-$every}
for step in $STEPS; do
    case $step in
        train) for run in $runs; do train_named "$run"; done ;;
        evaluate) for run in $runs; do evaluate "$run"; done ;;
        project) project ;;
        list) for run in $runs; do echo "$run"; done ;;
        *) echo "unknown step: $step" >&2; exit 2 ;;
    esac
done
