"""The Bayesian comparison of two models over splits: better by more than a point, alike within a point, or unknown."""

from collections.abc import Mapping

from scipy import special

from textclf.evaluate.comparisons import CorrectedT

POINT = 0.01  # differences in accuracy up to this one are of no practical importance
SMALLEST = 1e-9  # standard deviation; of equal differences, whose posterior is a point, it is taken as this


def posterior(test: CorrectedT, splits: int, ratio: float) -> dict[str, float]:
    """Return the probabilities that model a is `better` than b by more than `POINT`, `alike`, `worse`, and `wins`.

    `test` is of the differences in accuracy, a's minus b's, over `splits` splits; `ratio` is test rows / training rows.
    This is the correlated Bayesian t test: the posterior of the mean difference is Student's t with splits - 1 degrees
    of freedom, location `mean` and variance (1 / splits + ratio) sd^2 (Corani & Benavoli 2015, Machine Learning
    100:285-304, doi:10.1007/s10994-015-5486-z), divided at +-`POINT` (Benavoli et al. 2017, J. Mach. Learn. Res.
    18(77)). `wins` is the posterior predictive probability of a difference above 0 on a new draw of rows and seed.
    """
    sd = max(test.sd, SMALLEST)

    def below(limit: float, variance: float) -> float:
        return float(special.stdtr(splits - 1, (limit - test.mean) / (sd * variance**0.5)))

    of_mean = 1 / splits + ratio
    worse, not_better = below(-POINT, of_mean), below(POINT, of_mean)
    wins = 1 - below(0, of_mean + 1 + ratio)  # sd^2 estimates the variance of a draw times 1 / (1 + ratio)
    return {"better": 1 - not_better, "alike": not_better - worse, "worse": worse, "wins": wins}


def verdict(test: Mapping[str, float], later: str, earlier: str, confidence: float, accuracy: str) -> str:
    """Return what holds of a pair with this probability, by its entry in crossvalidation.json; name the `accuracy`."""
    likeliest = max(("better", "alike", "worse"), key=lambda name: test[name])
    if test[likeliest] < confidence:
        says = f"cannot tell whether {later} and {earlier} are alike or one is better"
    elif likeliest == "alike":
        says = f"{later} and {earlier} are alike within a point of {accuracy}"
    else:
        first, second = (later, earlier) if likeliest == "better" else (earlier, later)
        says = f"{first} is better than {second} by more than a point of {accuracy}"
    shares = ", ".join(f"{name} {test[name]:.2f}" for name in ("better", "alike", "worse"))
    return f"{says} (probability of {later}: {shares}; more accurate in a new draw {test['wins']:.2f})"
