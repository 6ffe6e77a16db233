"""Why the ELBO likes collapse, in words made of the runs' figures."""

from bnvae.metrics.figures.rate_price import Costs, price_words

PLAIN = Costs(run="plain", rate=0.003, distortion=18.606, is_plain=True)
CURED = Costs(run="cured", rate=6.02, distortion=14.72)


def test_the_sentence_says_what_can_be_won_and_what_a_code_got_back() -> None:
    assert price_words([PLAIN, CURED], 18.232, "sentences") == (
        "The sentences have an entropy of 18.2 nats: no model of their source can go below it. "
        "On held-out examples plain is 0.4 nats above it without a code: a code can win that much, and no more. "
        "The code of cured costs 6.0 nats more and gets back 3.9 nats of distortion: its −ELBO is 2.1 nats higher."
    )


def test_without_an_entropy_only_the_exchange_is_said() -> None:
    plain = Costs(run="plain", rate=22.0, distortion=81.2, is_plain=True)
    better = Costs(run="better", rate=24.5, distortion=78.2)
    assert price_words([better, plain], None, "pictures") == (
        "The code of better costs 2.5 nats more and gets back 3.0 nats of distortion: its −ELBO is 0.5 nats lower."
    )


def test_a_code_that_gets_nothing_back_or_costs_nothing_is_said_to() -> None:
    useless = Costs(run="useless", rate=8.0, distortion=19.6)
    assert "costs 8.0 nats more, and the distortion is 1.0 nats higher: its −ELBO is 9.0 nats higher." in price_words(
        [PLAIN, useless], None, "sentences"
    )
    alike = Costs(run="alike", rate=0.004, distortion=18.6)
    assert price_words([PLAIN, alike], None, "sentences") == "The code of alike costs as much as that of plain."


def test_a_plain_run_with_a_code_is_not_said_to_have_none_and_one_at_the_entropy_is_at_it() -> None:
    coded = Costs(run="coded", rate=2.0, distortion=16.23, is_plain=True)
    assert "coded is at it with a code of 2.0 nats" in price_words([coded], 18.232, "sentences")


def test_without_a_plain_run_and_an_entropy_there_is_nothing_to_say() -> None:
    assert price_words([CURED], None, "pictures") == ""
    assert price_words([PLAIN], None, "pictures") == ""
    assert price_words([], 18.232, "sentences").startswith("The sentences have an entropy of 18.2 nats")
