#!/usr/bin/env bash
# Makes the bundled runs anew, their figures, maps and film strips: bash checkpoints/train.sh [run ...]
# Equal machines give equal bytes; others give the same figures to within their rounding.
set -euo pipefail
cd "$(dirname "$0")/.."
export BNVAE_CHECKPOINTS=checkpoints BNVAE_MAPS=0

common="--seed 0 --threads 1 --precision fp32 --record-every 20 --gradient-clip 5"
storybook="--data storybook --network lstm --bidirectional --pooling max --hidden-units 128 --embedding-units 96
    --latent-dimensions 32 --dropout 0.1 --batch-size 32 --learning-rate 0.003 --epochs 8 $common"
mnist="--data mnist --network conv --latent-dimensions 16 --batch-size 128 --epochs 15 $common"
digits="--data digits --network mlp --latent-dimensions 16 --batch-size 64 --epochs 60 $common"

heads="storybook-plain storybook-scaler storybook-bn-mean storybook-ln-mean storybook-bn-scaler"
pictures="mnist-plain mnist-scaler"
taus="digits-tau-0.1 digits-tau-0.3 digits-tau-0.5 digits-tau-0.7 digits-tau-0.9"
every_tau="storybook-amortised digits-amortised"

train() {
    rm -rf "checkpoints/$1"
    # shellcheck disable=SC2086
    python -m bnvae train --quiet --run "$1" $2
}

make() {
    case $1 in
        storybook-plain) train "$1" "$storybook --head gaussian" ;;
        storybook-scaler) train "$1" "$storybook --head rms-scaler --tau 0.8" ;;
        storybook-bn-mean) train "$1" "$storybook --head bn-mean --gamma 0.9" ;;
        storybook-ln-mean) train "$1" "$storybook --head ln-mean --gamma 0.9" ;;
        storybook-bn-scaler) train "$1" "$storybook --head bn-scaler --tau 0.8" ;;
        storybook-amortised) train "$1" "$storybook --head rms-scaler --tau amortised --tau-max 0.95" ;;
        mnist-plain) train "$1" "$mnist --head gaussian" ;;
        mnist-scaler) train "$1" "$mnist --head rms-scaler --tau 0.3" ;;
        digits-amortised) train "$1" "$digits --head rms-scaler --tau amortised --tau-max 0.95" ;;
        digits-tau-*) 
            rm -rf "checkpoints/$1"
            # shellcheck disable=SC2086
            python -m bnvae sweep --quiet --run digits --tau "${1#digits-tau-}" $digits --head rms-scaler ;;
        *) echo "unknown run: $1" >&2; exit 2 ;;
    esac
}
