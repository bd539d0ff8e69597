# Reference for thyrocast/lasso.py: glmnet's L1 logistic path and cross-validated deviance.
# Run in this folder: Rscript glmnet_reference.R   (Debian: r-cran-glmnet)
# Writes glmnet_data.csv (the data) and glmnet_expected.json (what glmnet makes of them).
library(glmnet)
set.seed(20250)
n <- 90
p <- 150
latent <- matrix(rnorm(n * 6), n)
x <- pmax(latent %*% matrix(rnorm(6 * p), 6) + 1.5 * matrix(rnorm(n * p), n), 0)
x[, 7] <- 0.25 # constant
x[, 8] <- x[, 9] * 3 # the same feature on another scale
x[, 10] <- 1e-3 * x[, 10]
y <- as.integer(latent[, 1] - latent[, 2] + 0.8 * rnorm(n) > 0.3)
fold <- rep(1:5, length.out = n)
x <- signif(x, 8)
write.csv(data.frame(y = y, fold = fold, x), "glmnet_data.csv", row.names = FALSE, quote = FALSE)
x <- x[, -8] # two equal features have no unique solution; ours is checked apart

glmnet.control(fdev = 0, devmax = 0.999)
# As exact as it gets: the default thresh of 1e-7 leaves coefficients within 1e-3 only.
path <- glmnet(x, y, family = "binomial", nlambda = 60, lambda.min.ratio = 0.05,
               thresh = 1e-20, maxit = 1e7)
cv <- cv.glmnet(x, y, family = "binomial", lambda = path$lambda, foldid = fold,
                type.measure = "deviance", thresh = 1e-20, maxit = 1e7)
wide <- function(k) as.numeric(path$beta[, k])
json <- function(name, values) sprintf('  "%s": [%s]', name, paste(sprintf("%.12g", values), collapse = ", "))
lines <- c(
  json("lambda", path$lambda), json("intercept", path$a0), json("nonzero", path$df),
  json("cv_deviance", cv$cvm), json("cv_error", cv$cvsd),
  json("lambda_min", cv$lambda.min), json("lambda_1se", cv$lambda.1se),
  json("coefficients_20", wide(20)), json("coefficients_40", wide(40)), json("coefficients_60", wide(60)))
writeLines(c("{", paste(lines, collapse = ",\n"), "}"), "glmnet_expected.json")
