"""References of the methods section: numbered in the order in which the text cites them."""

import re
from collections.abc import Iterable, Mapping

#: Cited as ``[@name]``.
REFERENCES: Mapping[str, str] = {
    "collins2024": "Collins GS, Moons KGM, Dhiman P, et al. TRIPOD+AI statement. BMJ 2024;385:e078378.",
    "ross2016": "Ross DS, Burch HB, Cooper DS, et al. 2016 American Thyroid Association guidelines for "
    "diagnosis and management of hyperthyroidism and other causes of thyrotoxicosis. Thyroid 2016;26:1343-1421.",
    "campenni2023": "Campennì A, Avram AM, Verburg FA, et al. The EANM guideline on radioiodine therapy "
    "of benign thyroid disease. Eur J Nucl Med Mol Imaging 2023;50:3324-3348.",
    "hanscheid2013": "Hänscheid H, Canzi C, Eschner W, et al. EANM Dosimetry Committee series on standard "
    "operational procedures for pre-therapeutic dosimetry II. Eur J Nucl Med Mol Imaging "
    "2013;40:1126-1134.",
    "figueroa2012": "Figueroa RL, Zeng-Treitler Q, Kandula S, Ngo LH. Predicting sample size required for "
    "classification performance. BMC Med Inform Decis Mak 2012;12:8.",
    "he2016": "He K, Zhang X, Ren S, Sun J. Deep residual learning for image recognition. CVPR "
    "2016:770-778.",
    "he2019": "He T, Zhang Z, Zhang H, Zhang Z, Xie J, Li M. Bag of tricks for image classification with "
    "convolutional neural networks. CVPR 2019:558-567.",
    "loshchilov2019": "Loshchilov I, Hutter F. Decoupled weight decay regularization. ICLR 2019.",
    "goorbergh2022": "van den Goorbergh R, van Smeden M, Timmerman D, Van Calster B. The harm of class "
    "imbalance corrections for risk prediction models. J Am Med Inform Assoc 2022;29:1525-1534.",
    "tibshirani1996": "Tibshirani R. Regression shrinkage and selection via the lasso. J R Stat Soc B "
    "1996;58:267-288.",
    "breiman2001": "Breiman L. Random forests. Mach Learn 2001;45:5-32.",
    "harrell2015": "Harrell FE. Regression modeling strategies. 2nd ed. Springer; 2015.",
    "sisk2023": "Sisk R, Sperrin M, Peek N, van Smeden M, Martin GP. Imputation and missing indicators "
    "for handling missing data in the development and deployment of clinical prediction models. Stat "
    "Methods Med Res 2023;32:1461-1477.",
    "houwelingen1990": "van Houwelingen JC, le Cessie S. Predictive value of statistical models. Stat "
    "Med 1990;9:1303-1325.",
    "delong1988": "DeLong ER, DeLong DM, Clarke-Pearson DL. Comparing the areas under two or more "
    "correlated receiver operating characteristic curves. Biometrics 1988;44:837-845.",
    "newcombe2006": "Newcombe RG. Confidence intervals for an effect size measure based on the "
    "Mann-Whitney statistic. Part 2. Stat Med 2006;25:559-573.",
    "wilson1927": "Wilson EB. Probable inference, the law of succession, and statistical inference. J Am "
    "Stat Assoc 1927;22:209-212.",
    "vancalster2019": "Van Calster B, McLernon DJ, van Smeden M, et al. Calibration: the Achilles heel "
    "of predictive analytics. BMC Med 2019;17:230.",
    "austin2019": "Austin PC, Steyerberg EW. The integrated calibration index (ICI). Stat Med "
    "2019;38:4051-4065.",
    "vickers2006": "Vickers AJ, Elkin EB. Decision curve analysis. Med Decis Making 2006;26:565-574.",
    "hartung2001": "Hartung J, Knapp G. A refined method for the meta-analysis of controlled clinical "
    "trials with binary outcome. Stat Med 2001;20:3875-3889.",
    "nagashima2019": "Nagashima K, Noma H, Furukawa TA. Prediction intervals for random-effects "
    "meta-analysis. Stat Methods Med Res 2019;28:1689-1702.",
    "airola2011": "Airola A, Pahikkala T, Waegeman W, De Baets B, Salakoski T. An experimental "
    "comparison of cross-validation techniques for estimating the area under the ROC curve. Comput Stat "
    "Data Anal 2011;55:1828-1844.",
    "nadeau2003": "Nadeau C, Bengio Y. Inference for the generalization error. Mach Learn "
    "2003;52:239-281.",
    "vovk2012": "Vovk V. Conditional validity of inductive conformal predictors. Proc ACML, PMLR "
    "2012;25:475-490.",
    "selvaraju2017": "Selvaraju RR, Cogswell M, Das A, et al. Grad-CAM: visual explanations from deep "
    "networks via gradient-based localization. ICCV 2017:618-626.",
    "draelos2020": "Draelos RL, Carin L. Use HiResCAM instead of Grad-CAM for faithful explanations of "
    "convolutional neural networks. arXiv:2011.08891, 2020.",
    "adebayo2018": "Adebayo J, Gilmer J, Muelly M, et al. Sanity checks for saliency maps. NeurIPS "
    "2018;31:9505-9515.",
    "petsiuk2018": "Petsiuk V, Das A, Saenko K. RISE: randomized input sampling for explanation of black-box models. "
    "BMVC 2018:151.",
    "fisher2019": "Fisher A, Rudin C, Dominici F. All models are wrong, but many are useful: learning a variable’s importance "
    "by studying an entire class of prediction models simultaneously. J Mach Learn Res 2019;20(177):1-81.",
    "firth1993": "Firth D. Bias reduction of maximum likelihood estimates. Biometrika 1993;80:27-38.",
    "zou2008": "Zou GY, Donner A. Construction of confidence limits about effect measures: a general approach. Stat Med "
    "2008;27:1693-1702.",
    "chattopadhyay2018": "Chattopadhay A, Sarkar A, Howlader P, Balasubramanian VN. Grad-CAM++: generalized "
    "gradient-based visual explanations for deep convolutional networks. WACV 2018:839-847.",
    "riley2020": "Riley RD, Ensor J, Snell KIE, et al. Calculating the sample size required for "
    "developing a clinical prediction model. BMJ 2020;368:m441.",
    "riley2021": "Riley RD, Debray TPA, Collins GS, et al. Minimum sample size for external validation "
    "of a clinical prediction model with a binary outcome. Stat Med 2021;40:4230-4251.",
}
_CITED = re.compile(r"\[@([a-z0-9, @]+)\]")


def numbered(texts: Iterable[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Replace citations by numbers.

    Parameters
    ----------
    texts
        Headings and texts; ``[@wilson1927]`` or ``[@wilson1927, @riley2020]`` is a citation.

    Returns
    -------
    tuple
        Headings and texts with ``[1, 2]``, and the references in the order of their numbers.

    Raises
    ------
    KeyError
        If a reference is not known.
    """
    order: dict[str, int] = {}

    def replace(found: re.Match[str]) -> str:
        names = [name.strip(" @") for name in found[1].split(",")]
        places = [order.setdefault(name, len(order) + 1) for name in names]
        return f"[{', '.join(map(str, places))}]"

    replaced = [(heading, _CITED.sub(replace, text)) for heading, text in texts]
    return replaced, [REFERENCES[name] for name in order]
