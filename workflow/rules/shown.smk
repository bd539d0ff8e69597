# Which optional results the report shows.


def controls_shown():
    """Return the tables of the controls, by name, if the report shows them: requested or already run."""
    files = {
        table.name: f"results/{STUDY.study}/controls/{table.name}.csv"
        for table in CONTROLS
    }
    run = config["controls"]["run"] or all(map(os.path.exists, files.values()))
    return files if run else {}


def stability_shown():
    """Return the tables about stability, by name, if the report shows them."""
    files = {table.name: f"results/{STUDY.study}/{table.path}" for table in STABILITY}
    run = config["stability"]["run"] or all(map(os.path.exists, files.values()))
    return files if run else {}


def learning_curve_shown():
    """Return the learning curve, by name, if the report shows it: requested or already measured."""
    file = f"results/{STUDY.study}/{LEARNING_CURVE.path}"
    run = config["learning_curve"]["run"] or os.path.exists(file)
    return {LEARNING_CURVE.name: file} if run else {}


def importance_shown():
    """Return the permutation importance, by name; a locked model that is applied has none."""
    if MODEL or not config["explanation"]["permutations"]:
        return {}
    path = IMPORTANCE.path.format(design=EXPLAINED_DESIGN)
    return {IMPORTANCE.name: f"results/{STUDY.study}/{path}"}
