"""Collect what a header states about the view of a frame, and decide by an ordered list of rules."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from thyrocast.config.center import CenterConfig, ViewFallback
from thyrocast.config.views import AngleZero, Contradiction, ViewsConfig
from thyrocast.contract.names import ScanFlag, ViewRule, ViewSource
from thyrocast.dicom import orientation, terms, text, vocabulary
from thyrocast.dicom.elements import Elements
from thyrocast.dicom.vocabulary import Facing

# Largest difference in degrees between a start angle and the patient's front or back.
FACING_DEGREES = 25
#: Why a frame is not used whose view is known.
OTHER_VIEW = "a view other than anterior"

#: The coarse source of each rule, for models and tables that compare sources.
SOURCES = {
    ViewRule.CODE_AND_ORIENTATION: ViewSource.CODE,
    ViewRule.CODE: ViewSource.CODE,
    ViewRule.ORIENTATION: ViewSource.ORIENTATION,
    ViewRule.ORIENTATION_OF_HEADS: ViewSource.ORIENTATION,
    ViewRule.START_ANGLE: ViewSource.ORIENTATION,
    ViewRule.PRIVATE_LABEL: ViewSource.DESCRIPTION,
    ViewRule.DESCRIPTION: ViewSource.DESCRIPTION,
    ViewRule.CONFIGURED_LABEL: ViewSource.FALLBACK,
    ViewRule.CONFIGURED_HEAD: ViewSource.FALLBACK,
    ViewRule.CONFIGURED_VIEW: ViewSource.FALLBACK,
}


@dataclass(frozen=True)
class Descriptions:
    """Descriptions of series and image, of study and protocol, and of the image alone, as `text.words` returns them."""

    series: str
    study: str
    image: str = ""

    @property
    def nearest(self) -> str:
        """The description of the series, otherwise of the study."""
        return self.series or self.study


@dataclass(frozen=True)
class Evidence:
    """What a header states about the view of a detector's frames; None if it states nothing.

    Attributes
    ----------
    orientation
        From the cosines of rows and columns (C.7.6.2.1.1) or PatientOrientation (C.7.6.1.1.1). An
        axial orientation is the default value of exporters, as a planar camera does not image
        from the head, and states nothing.
    angle
        From StartAngle (C.8.4.11). Zero is also the default value of exporters.
    start_angle
        StartAngle itself, degrees; of the detector (C.8.4.11), otherwise, with one detector, of the rotation
        (C.8.4.12).
    angles_differ
        Whether those of detector and rotation contradict each other.
    code
        From ViewCodeSequence (CID 26), by its code or by its meaning in words.
    private
        From private elements of the camera's manufacturer.
    letters
        From PatientOrientation, where the file has one detector and cosines too.
    series, study
        From descriptions.
    turn
        Quarter turns, counter-clockwise, that bring the head up.
    codes_differ
        Whether the view codes contradict each other or their meanings.
    several
        Whether the description of the series names several views.
    oblique
        Whether they are the anterior view and an oblique or lateral one.
    """

    orientation: Facing | None = None
    angle: Facing | None = None
    start_angle: float | None = None
    angles_differ: bool = False
    code: Facing | None = None
    private: Facing | None = None
    letters: Facing | None = None
    series: Facing | None = None
    study: Facing | None = None
    turn: int = 0
    codes_differ: bool = False
    several: bool = False
    oblique: bool = False


@dataclass(frozen=True)
class Heads:
    """What the detectors of a file have in common.

    Attributes
    ----------
    number
        How many have frames.
    orientation
        Whether their orientations can be used: at most one is anterior, and they are not all
        posterior, since two detectors cannot be at one side of a patient.
    opposite
        Whether one orientation is anterior and another is posterior.
    code
        Whether their labels can be used: at most one is anterior.
    angle
        Whether exactly one start angle is anterior.
    """

    number: int
    orientation: bool
    opposite: bool
    code: bool
    angle: bool


@dataclass(frozen=True)
class FrameView:
    """View of a frame.

    Attributes
    ----------
    facing
        The view; None if it is not stated.
    rule
        The rule that identified it; None if none did.
    turn
        Quarter turns, counter-clockwise, that bring the head up.
    flags
        Contradictions that were found.
    reason
        Why the frame is not used; empty for an anterior view.
    """

    facing: Facing | None
    rule: ViewRule | None
    turn: int = 0
    flags: tuple[ScanFlag, ...] = ()
    reason: str = ""


def collect(
    header: Elements, detector: Elements, views: ViewsConfig, described: Descriptions
) -> Evidence:
    """Collect what a header states about the frames of a detector.

    Parameters
    ----------
    header, detector
        The file's header, and the item of the frame's detector.
    views
        The center's patterns.
    described
        The descriptions.
    """
    cosines, letters = orientation.cosines(header, detector), orientation.letters(header)
    # In a file of several detectors, the letters describe one of them.
    alone = len(header.items("DetectorInformationSequence")) < 2
    rotations = header.items("RotationInformationSequence") if alone else ()
    angles = [item.signed("StartAngle") for item in (detector, *rotations)]
    stated = [value for value in angles if value is not None]
    angle = stated[0] if stated else None
    differ = any(abs((value - stated[0] + 180) % 360 - 180) > FACING_DEGREES for value in stated)
    labels = {
        vocabulary.facing(label) for label in map(text.words, header.several("PrivateLabels"))
    }
    labels.discard(None)
    series = _nearest(described)
    named = vocabulary.facings(series)
    return Evidence(
        orientation=orientation.side(cosines) if cosines else None,
        angle=None if angle is None or differ else _side_of_angle(angle, views.start_angle_zero),
        start_angle=angle,
        angles_differ=differ,
        code=terms.coded_view(detector),
        private=labels.pop() if len(labels) == 1 else None,
        letters=orientation.side(letters) if letters and alone else None,
        series=described_view(series, views),
        study=described_view(described.study, views),
        turn=orientation.quarter_turns(cosines),
        codes_differ=terms.has_contradictory_views(detector),
        several=len(named) > 1,
        oblique={Facing.ANTERIOR, Facing.OTHER} <= set(named),
    )


def _nearest(described: Descriptions) -> str:
    """Return the image's own description if that of its series names several views and the image's names one of them."""
    own, all_named = vocabulary.facings(described.image), vocabulary.facings(described.series)
    return described.image if len(own) == 1 < len(all_named) else described.series


def described_view(description: str, views: ViewsConfig) -> Facing | None:
    """Return the view that a description names, by the center's patterns, then by built-in words."""
    anterior = text.matches(views.anterior, description)
    other = text.matches(views.other, description)
    if anterior != other:
        return Facing.ANTERIOR if anterior else Facing.OTHER
    return vocabulary.facing(description)


def compare(evidence: Sequence[Evidence]) -> Heads:
    """Return what the detectors of a file have in common."""
    sides = [head.orientation for head in evidence]
    angles = [head.angle for head in evidence]
    front = sides.count(Facing.ANTERIOR)
    all_back = front == 0 and sides.count(Facing.POSTERIOR) > 1
    return Heads(
        number=len(evidence),
        orientation=front < 2 and not all_back,
        opposite=front == 1 and Facing.POSTERIOR in sides,
        code=[head.code for head in evidence].count(Facing.ANTERIOR) < 2,
        angle=len(evidence) > 1 and angles.count(Facing.ANTERIOR) == 1,
    )


def may_be_opposite(evidence: Evidence, heads: Heads) -> bool:
    """Return whether a detector other than the anterior one is, or may be, behind the patient."""
    stated = {evidence.orientation, evidence.code}
    if Facing.OTHER in stated:
        return False
    return Facing.POSTERIOR in stated or heads.number == 2


def decide(
    evidence: Evidence, heads: Heads, detector: int | None, center: CenterConfig, *, single: bool
) -> FrameView:
    """Decide the view of a detector's frames: geometry first, then labels, then the config.

    Parameters
    ----------
    evidence, heads
        From `collect` and `compare`.
    detector
        Number of the detector, from 1; None if it is not stated.
    center
        The center's block of the config.
    single
        Whether all frames of the file show one view; if not, a description does not say which of
        them it describes.
    """
    views = center.views
    label, label_rule = _label(evidence, heads, single=single)
    if evidence.orientation and heads.orientation:
        view = _by_orientation(evidence, evidence.orientation, heads, label, label_rule, views)
        if evidence.letters not in {None, evidence.orientation}:
            view = _against_letters(evidence, view, views)
        if view.rule is ViewRule.CODE_AND_ORIENTATION and _names_another(evidence, single=single):
            # Two statements against one.
            view = replace(view, flags=(*view.flags, ScanFlag.VIEW_CONTRADICTION))
        return view
    if label and label_rule in {ViewRule.CODE, ViewRule.PRIVATE_LABEL}:
        if label is Facing.ANTERIOR and _names_another(evidence, single=single):
            return _contradicted(evidence, label_rule, views)
        return _seen(label, label_rule, evidence.turn, _reversed(evidence, heads, label))
    if heads.number > 1 and views.anterior_detector is not None and detector is not None:
        front = detector == views.anterior_detector
        facing = Facing.ANTERIOR if front else Facing.OTHER
        return _seen(facing, ViewRule.CONFIGURED_HEAD, evidence.turn)
    if label and label_rule:
        flags = (ScanFlag.VIEW_CONTRADICTION,) if evidence.codes_differ else ()
        flags = (*flags, *_reversed(evidence, heads, label))
        return _seen(label, label_rule, evidence.turn, flags)
    if evidence.angle and (heads.angle or (heads.number < 2 and evidence.start_angle)):
        return _seen(evidence.angle, ViewRule.START_ANGLE, evidence.turn)
    if single and center.fallbacks.view is ViewFallback.ANTERIOR:
        if evidence.codes_differ or evidence.several:
            reason = "view codes or a description that name several views"
            return FrameView(None, None, evidence.turn, reason=reason)
        return _seen(Facing.ANTERIOR, ViewRule.CONFIGURED_VIEW, evidence.turn)
    alike = heads.number > 1 and not (heads.orientation and heads.code)
    reason = "several detector heads with one orientation" if alike else "view not stated"
    return FrameView(None, None, evidence.turn, reason=reason)


def _label(
    evidence: Evidence, heads: Heads, *, single: bool
) -> tuple[Facing | None, ViewRule | None]:
    """Return the view by the most specific label of a detector's frames, and the rule.

    A label that several detectors have does not describe each of them.
    """
    if evidence.code and heads.code:
        return evidence.code, ViewRule.CODE
    described = evidence.series or evidence.study
    if not single:
        # A description of several views names none; one that names another view names no anterior one.
        other = described and described is not Facing.ANTERIOR
        return (described, ViewRule.DESCRIPTION) if other else (None, None)
    if evidence.private:
        return evidence.private, ViewRule.PRIVATE_LABEL
    return (described, ViewRule.DESCRIPTION) if described else (None, None)


def _by_orientation(
    evidence: Evidence,
    side: Facing,
    heads: Heads,
    label: Facing | None,
    label_rule: ViewRule | None,
    views: ViewsConfig,
) -> FrameView:
    """Decide by an orientation; a label that contradicts it is flagged, or excludes the frame."""
    turn = evidence.turn
    flags = _reversed(evidence, heads, side)
    # The descriptions of a study list all its views, so they do not contradict one of them.
    if label_rule is ViewRule.DESCRIPTION and not evidence.series:
        label = None
    if label is None or label is side:
        coded = label_rule is ViewRule.CODE and label is not None
        rule = ViewRule.CODE_AND_ORIENTATION if coded else ViewRule.ORIENTATION
        return _seen(side, rule, turn, flags)
    flags = (*flags, ScanFlag.VIEW_CONTRADICTION)
    if heads.opposite and Facing.OTHER not in {label, side}:
        return _seen(side, ViewRule.ORIENTATION_OF_HEADS, turn, flags)
    if Facing.ANTERIOR not in {label, side}:
        return _seen(side, ViewRule.ORIENTATION, turn)
    if views.contradictions is Contradiction.ORIENTATION:
        return _seen(side, ViewRule.ORIENTATION, turn, flags)
    if views.contradictions is Contradiction.LABEL:
        return _seen(label, ViewRule.CONFIGURED_LABEL, turn, flags)
    what = "view code" if label_rule is ViewRule.CODE else "description"
    reason = f"orientation ({side}) and {what} ({label}) contradict each other"
    return FrameView(None, None, turn, flags, reason)


def _against_letters(evidence: Evidence, view: FrameView, views: ViewsConfig) -> FrameView:
    """Return the view by orientation if it contradicts PatientOrientation: two statements beat one."""
    view = replace(view, flags=tuple(dict.fromkeys((*view.flags, ScanFlag.VIEW_CONTRADICTION))))
    trusted = views.contradictions is not Contradiction.EXCLUDE
    if view.reason or trusted or view.rule is ViewRule.CODE_AND_ORIENTATION:
        return view
    reason = (
        f"orientation ({evidence.orientation}) and PatientOrientation ({evidence.letters}) contradict "
        "each other"
    )
    return FrameView(None, None, view.turn, view.flags, reason)


def _names_another(evidence: Evidence, *, single: bool) -> bool:
    """Return whether a description, or a private label, names another view than the anterior one."""
    return single and bool({evidence.series, evidence.private} & {Facing.OTHER, Facing.POSTERIOR})


def _contradicted(evidence: Evidence, rule: ViewRule, views: ViewsConfig) -> FrameView:
    """Decide a view whose label is anterior although the description names another one.

    Some exporters write the same code for every view. Only the center knows which of the two is right.
    """
    flags = (ScanFlag.VIEW_CONTRADICTION,)
    if views.contradictions is Contradiction.LABEL:
        return _seen(Facing.ANTERIOR, ViewRule.CONFIGURED_LABEL, evidence.turn, flags)
    what = "view code" if rule is ViewRule.CODE else "label of the camera"
    described = evidence.series in {Facing.OTHER, Facing.POSTERIOR}
    other = "description" if described else "label of the camera"
    view = evidence.series if described else evidence.private
    reason = f"{what} (anterior) and {other} ({view}) contradict each other"
    return FrameView(None, None, evidence.turn, flags, reason)


def _is_reversed(evidence: Evidence, heads: Heads, side: Facing) -> bool:
    """Return whether a start angle contradicts the side: that of another detector, or an oblique one.

    A head beside a patient who sits has an angle of 90 or 270 degrees.
    """
    angle = evidence.start_angle or 0.0
    if evidence.angles_differ:
        return side is Facing.ANTERIOR
    oblique = FACING_DEGREES < angle % 90 < 90 - FACING_DEGREES
    if heads.number < 2 and oblique:
        return side is Facing.ANTERIOR
    return heads.angle and (evidence.angle is Facing.ANTERIOR) != (side is Facing.ANTERIOR)


def _reversed(evidence: Evidence, heads: Heads, side: Facing) -> tuple[ScanFlag, ...]:
    return (ScanFlag.START_ANGLE_REVERSED,) if _is_reversed(evidence, heads, side) else ()


def _seen(facing: Facing, rule: ViewRule, turn: int, flags: tuple[ScanFlag, ...] = ()) -> FrameView:
    reason = "" if facing is Facing.ANTERIOR else OTHER_VIEW
    return FrameView(facing, rule, turn, flags, reason)


def _side_of_angle(angle: float, zero: AngleZero) -> Facing:
    """Return where a detector is by its start angle (C.8.4.11: 0 back, 180 front)."""
    from_front = abs((angle + (180 if zero is AngleZero.FRONT else 0)) % 360 - 180)
    if from_front <= FACING_DEGREES:
        return Facing.ANTERIOR
    return Facing.POSTERIOR if from_front >= 180 - FACING_DEGREES else Facing.OTHER
