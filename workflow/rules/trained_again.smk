# Networks that are trained again, for stability and controls: their files and their budgets.


def retrained_files(wildcards):
    """Return the fits to networks that are trained again; stops if their training exceeds its budget."""
    check_stability_budget()
    pattern = f"results/{STUDY.study}/splits/{STABILITY_DESIGN}/{{split}}/retrained/{{training}}/refits.npz"
    trainings = STUDY.stability.trainings()
    return collect(pattern, split=SPLITS[STABILITY_DESIGN], training=trainings)


def permuted_files(wildcards):
    """Return the log-odds by networks that are trained on permuted outcomes; stops if they exceed their budget."""
    check_controls_budget()
    pattern = f"results/{STUDY.study}/splits/{CONTROLS_DESIGN}/{{split}}/permuted/{{permutation}}/network.csv"
    permutations = STUDY.controls.networks.permutations()
    return collect(pattern, split=SPLITS[CONTROLS_DESIGN], permutation=permutations)


def part_files(wildcards):
    """Return the log-odds by networks that are trained on parts of the images."""
    pattern = f"results/{STUDY.study}/splits/{CONTROLS_DESIGN}/{{split}}/parts/{{part}}/network.csv"
    parts = [part.value for part in STUDY.controls.networks.parts]
    return collect(pattern, split=SPLITS[CONTROLS_DESIGN], part=parts)


def check_stability_budget(planned=None):
    """Stop if networks with other seeds exceed their budget; `planned` as in `trained_again`."""
    names = [f"retrained/{training}" for training in STUDY.stability.trainings()]
    networks = trained_again(STABILITY_DESIGN, names, len(MEMBERS), planned)
    check_budget(budget.of_stability(STUDY, networks), STABILITY_DESIGN)


def check_controls_budget(planned=None):
    """Stop if networks that are trained for the controls exceed their budget."""
    asked = STUDY.controls.networks
    names = [f"permuted/{permutation}" for permutation in asked.permutations()]
    networks = trained_again(CONTROLS_DESIGN, names, 1, planned)
    names = [f"parts/{part}" for part in asked.parts]
    others = sum(trained_again(CONTROLS_DESIGN, names, len(MEMBERS), planned))
    check_budget(budget.of_controls(STUDY, networks, others), CONTROLS_DESIGN)


def trained_again(design, names, members, planned):
    """Return how many networks of each training are trained.

    While the jobs are not known yet, these are the trainings without a result. `planned` are the outputs of all
    jobs of a run: they also contain trainings that a change of settings, code or patients makes necessary.
    """
    folder = Path(f"results/{STUDY.study}/splits/{design}")
    if planned is None:
        return budget.absent(folder, SPLITS[design], names, members)
    return budget.planned(planned, folder, names)


def check_budget(asked, design):
    """Stop if the trainings of a budget would take too long."""
    if not workflow.is_main_process or not (sum(asked.networks) or asked.others):
        return
    done = Path(f"results/{STUDY.study}/benchmarks/train_network/{design}")
    try:
        budget.check(STUDY, asked, done, study_work().train_minutes())
    except InputError as fault:
        raise WorkflowError(str(fault)) from None
