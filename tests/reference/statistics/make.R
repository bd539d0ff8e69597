# Values of R's pROC, metafor, rms, sandwich and base R that test_statistics_reference.py compares with.
# Usage: Rscript make.R [folder]   (Debian: r-cran-proc r-cran-metafor r-cran-rms r-cran-sandwich)
# Public data: aSAH of pROC (Turck et al. 2010), dat.bcg and dat.hackshaw1998 of metadat.
suppressMessages({library(pROC); library(metafor); library(rms)})
arguments <- commandArgs(trailingOnly = TRUE)
folder <- if (length(arguments)) arguments[1] else "."
names_ <- character(); values_ <- numeric()
keep <- function(name, value) {
  value <- as.numeric(value)
  if (length(value) > 1) name <- paste0(name, "[", seq_along(value) - 1, "]")
  names_ <<- c(names_, name); values_ <<- c(values_, value)
}

# --- patients: outcome, three markers, and probabilities fitted on every second patient ------
data(aSAH)
d <- data.frame(outcome = as.integer(aSAH$outcome == "Poor"), s100b = aSAH$s100b,
                ndka = aSAH$ndka, wfns = as.integer(aSAH$wfns), age = aSAH$age)
odd <- seq_len(nrow(d)) %% 2 == 1
model <- glm(outcome ~ log(s100b) + wfns + age, binomial, d[odd, ])
d$p <- predict(model, d, type = "response")
write.csv(format(d, digits = 17, trim = TRUE), file.path(folder, "asah.csv"), row.names = FALSE, quote = FALSE)
d <- read.csv(file.path(folder, "asah.csv"))

# --- pROC ----------------------------------------------------------------------------------
for (marker in c("s100b", "ndka", "wfns")) {
  r <- roc(d$outcome, d[[marker]], levels = c(0, 1), direction = "<", quiet = TRUE)
  keep(paste0("proc.auc.", marker), auc(r))
  keep(paste0("proc.var.", marker), var(r, method = "delong"))
  keep(paste0("proc.ci.", marker), ci.auc(r, method = "delong"))
  keep(paste0("proc.at_specificity.", marker),
       coords(r, c(0.5, 0.8, 0.9, 0.95), input = "specificity", ret = "sensitivity")[[1]])
}
a <- roc(d$outcome, d$s100b, levels = c(0, 1), direction = "<", quiet = TRUE)
b <- roc(d$outcome, d$wfns, levels = c(0, 1), direction = "<", quiet = TRUE)
keep("proc.cov", cov(a, b, method = "delong"))
paired <- roc.test(a, b, paired = TRUE, method = "delong")
keep("proc.paired", c(paired$statistic, paired$p.value, paired$conf.int))

# --- calibration: glm, rms and loess, in the patients that the model was not fitted to ---
v <- d[!odd, ]; lp <- qlogis(v$p)
tight <- glm.control(epsilon = 1e-15, maxit = 100)
m <- glm(v$outcome ~ 1, binomial, offset = lp, control = tight)
keep("glm.in_the_large", c(coef(m), sqrt(vcov(m)), logLik(m)))
keep("sandwich.in_the_large", sqrt(sandwich::vcovHC(m, "HC1")))
m <- glm(v$outcome ~ lp, binomial, control = tight)
keep("glm.joint", c(coef(m), sqrt(diag(vcov(m))), logLik(m)))
s <- val.prob(v$p, v$outcome, pl = FALSE)
for (n in c("Dxy", "C (ROC)", "Brier", "Intercept", "Slope", "Emax", "E90", "Eavg", "S:z", "S:p"))
  keep(paste0("rms.val_prob.", gsub("[ ()]", "", n)), s[n])
all_lp <- qlogis(d$p)
for (knots in 3:4) {
  basis <- rcspline.eval(all_lp, nk = knots, inclx = TRUE)
  keep(paste0("rms.knots.", knots), attr(basis, "knots"))
  keep(paste0("rms.basis.", knots), basis[1:7, ])
}
# Clipped probabilities of 0 and 1 are ties at the ends.
certain <- list(both = c(1:9, 105:113), low = 1:9, high = 105:113, few = c(1:4, 110:113))
for (n in names(certain)) for (knots in 3:4) {
  x <- sort(all_lp); i <- certain[[n]]
  x[i[i < 57]] <- qlogis(1e-6); x[i[i > 57]] <- qlogis(1 - 1e-6)
  if (knots == 4) x <- rep(x, 2)
  keep(paste("rms.tied_knots", n, knots, sep = "."), rcspline.eval(x, nk = knots, knots.only = TRUE))
}
basis <- rcspline.eval(lp, nk = 3, inclx = TRUE)
m <- glm(v$outcome ~ basis, binomial, control = tight)
keep("rms.spline.fit", fitted(m))
keep("rms.spline.se", predict(m, se.fit = TRUE)$se.fit)
keep("rms.spline.ici", mean(abs(fitted(m) - v$p)))
for (degree in 1:2) {
  m <- loess(v$outcome ~ v$p, degree = degree, span = 0.75,
             control = loess.control(surface = "direct", statistics = "exact"))
  keep(paste0("r.loess.", degree), predict(m, v$p))
}
keep("r.lowess", lowess(v$p, v$outcome, iter = 0, delta = 0)$y)
small <- glm(v$outcome ~ lp, binomial, control = tight)
large <- glm(v$outcome ~ lp + qlogis(pmin(pmax(v$s100b, .01), .99)), binomial, control = tight)
keep("glm.likelihood_ratio", c(deviance(small) - deviance(large),
     anova(small, large, test = "Chisq")[2, "Pr(>Chi)"]))

# --- proportions --------------------------------------------------------------------------------
for (x in c(0, 1, 7, 24)) {
  keep(paste0("r.wilson.", x), prop.test(x, 24, correct = FALSE)$conf.int)
}

# --- metafor --------------------------------------------------------------------------------------
bcg <- escalc("RR", ai = tpos, bi = tneg, ci = cpos, di = cneg, data = dat.bcg)
smoke <- dat.hackshaw1998
sets <- list(bcg = data.frame(yi = c(bcg$yi), vi = bcg$vi), smoke = data.frame(yi = c(smoke$yi), vi = smoke$vi),
             four = data.frame(yi = c(.2, .5, 1.1, .3), vi = c(.1, .05, .08, .2)),
             flat = data.frame(yi = c(.40, .42, .41), vi = c(.1, .05, .08)))
meta <- do.call(rbind, lapply(names(sets), function(n) cbind(set = n, format(sets[[n]], digits = 17, trim = TRUE))))
write.csv(meta, file.path(folder, "meta.csv"), row.names = FALSE, quote = FALSE)
meta <- read.csv(file.path(folder, "meta.csv"))
for (n in names(sets)) for (method in c("REML", "PM")) for (test in c("knha", "adhoc", "z")) {
  x <- meta[meta$set == n, ]
  control <- list(threshold = 1e-14, tol = 1e-14, maxiter = 10000)
  if (method == "PM") control$tol <- 1e-14
  m <- suppressWarnings(rma(yi, vi, data = x, method = method, test = test, control = control))
  p <- predict(m)
  keep(paste("metafor", n, method, test, sep = "."),
       c(m$b, m$se, m$ci.lb, m$ci.ub, p$pi.lb, p$pi.ub, m$tau2, m$I2, m$QE, m$QEp, m$pval))
  if (test == "knha") keep(paste("metafor", n, method, "without", sep = "."), suppressWarnings(leave1out(m)$estimate))
}
write.csv(data.frame(name = names_, value = format(values_, digits = 17, trim = TRUE)),
          file.path(folder, "r.csv"), row.names = FALSE, quote = FALSE)
