"""The wire types of campaigns and certificates. Times are Unix seconds; plans and results are as they are stored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

JSON = dict[str, Any]
Tier = Literal["smoke", "standard", "full"]
Word = Literal["violated", "not", "unsure"]
MAX_NOTE = 2_000


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class EndpointBody(_Body):
    """An OpenAI-compatible address to examine. The key is kept in memory only.

    Attributes:
        questions: with their answers, one JSON object a line; without any, the quality of its answers is
            not measured.
    """

    base_url: str = Field(max_length=2_000, pattern=r"^https?://")
    model: str = Field(min_length=1, max_length=256)
    api_key: str | None = Field(None, max_length=4_096, repr=False)
    instructions: str = Field("", max_length=100_000)
    questions: str = Field("", max_length=12_000_000)


class StartBody(_Body):
    """How a campaign goes on.

    Attributes:
        api_key: of the address that is examined, where the server does not hold it any more; null where it
            needs none.
    """

    api_key: str | None = Field(None, max_length=4_096, repr=False)


class CampaignBody(_Body):
    """What to examine: an assistant of this workspace, or an address."""

    assistant: str | None = Field(None, max_length=200)
    target: EndpointBody | None = None
    tier: Tier = "standard"
    families: list[str] | None = Field(None, min_length=1, max_length=64)
    start: bool = False


class ReadingBody(_Body):
    """What a person decided about one output.

    Attributes:
        reading: 1, or 2 for the second reading of an output that is read twice.
        reader: who read it, as the certificate will name them.
    """

    position: int = Field(ge=0)
    generation: int = Field(0, ge=0)
    outcome: Word
    note: str = Field("", max_length=MAX_NOTE)
    reading: Literal[1, 2] = 1
    reader: str = Field("", max_length=120)


class CertificateBody(_Body):
    """How a result is signed."""

    purpose: str | dict[Literal["fr", "en"], str] | None = None
    days: int = Field(90, ge=1, le=90)
    organisation: str = Field("", max_length=200)
    passphrase: str | None = Field(None, max_length=1_024, repr=False)


class RevocationBody(_Body):
    """Why a certificate counts no more."""

    reason: str = Field(max_length=MAX_NOTE)


class PublicationBody(_Body):
    """The certificate under which an assistant serves."""

    certificate: str = Field(max_length=80)


class BreakGlassBody(_Body):
    """Who lets an assistant serve without a valid certificate, why and how long."""

    reason: str = Field(max_length=MAX_NOTE)
    people: list[Annotated[str, Field(max_length=120)]] = Field(max_length=8)
    hours: float


class FamilyProgress(BaseModel):
    """How far one family is, in conversations."""

    id: str
    done: int
    total: int
    violated: int
    unsure: int
    error: int


class ProgressEntry(BaseModel):
    """How far a campaign is, in conversations."""

    done: int
    total: int
    families: list[FamilyProgress]


class CampaignEntry(BaseModel):
    """One campaign.

    Attributes:
        address: of an endpoint, without its key.
        needs_key: whether the key of that address must be given before it can be asked again.
        stop_asked_by: who asked it to stop, since it last began.
        families: label and description of each family that is named, in the reader's language.
        certificate: the latest that was signed over it.
    """

    id: str
    object: Literal["etabli.campaign"] = "etabli.campaign"
    target: str
    kind: str
    tier: str
    attempt: int
    state: str
    address: str | None
    needs_key: bool
    stop_asked_by: str | None
    message: str
    plan: JSON
    families: JSON
    progress: ProgressEntry
    result: JSON | None
    verdict: str | None
    certificate: str | None
    created_at: int
    started_at: int | None
    finished_at: int | None
    spent_s: float


class CampaignList(BaseModel):
    """The latest campaigns, newest first; their plans and results are left out."""

    object: Literal["list"] = "list"
    data: list[CampaignEntry]


class ReadingEntry(BaseModel):
    """What people decided about an output: the gravest word of all readings."""

    outcome: str
    reader: str
    note: str


class TranscriptEntry(BaseModel):
    """One conversation of a campaign.

    Attributes:
        outcome: of the people who read it, else of the last detection.
        detail: what was found, in the reader's language.
    """

    position: int
    generation: int
    family: str
    language: str
    probe: str
    transformation: str
    held_out: bool
    outcome: str
    detail: str
    turns: list[str]
    plants: list[JSON]
    responses: list[JSON]
    detections: list[JSON]
    reading: ReadingEntry | None


class TranscriptList(BaseModel):
    """A page of conversations, in the order of the plan. `after` of the next page is `last_id`."""

    object: Literal["list"] = "list"
    data: list[TranscriptEntry]
    has_more: bool
    last_id: str | None


class ReplayAnswer(BaseModel):
    """A conversation held again. `same` says whether every reply is the same to the letter."""

    before: TranscriptEntry
    now: TranscriptEntry
    same: bool


class Said(BaseModel):
    """One side of what is to be read: what was asked and what was answered, and nothing of what anybody thinks."""

    turns: list[str]
    responses: list[JSON]


class ReadingItem(BaseModel):
    """An output that waits for a person, blind.

    Attributes:
        other: the second member of a pair, which is judged with the first.
        reading: to be sent back.
    """

    position: int
    generation: int
    reading: Literal[1, 2]
    family: str
    label: str
    question: str
    turns: list[str]
    responses: list[JSON]
    other: Said | None


class NextReading(BaseModel):
    """What to read next, and how many readings are left."""

    left: int
    item: ReadingItem | None


class ReadingKept(BaseModel):
    """How many readings are left, and the state of the campaign after this one."""

    left: int
    state: str
    verdict: str | None


class SignatureEntry(BaseModel):
    """Who signed, as the statement and the trusted keys name them."""

    keyid: str
    role: str
    name: str


class CertificateEntry(BaseModel):
    """One certificate.

    Attributes:
        digest: SHA-256 of the signed statement.
        statement: what was signed; left out in lists.
    """

    id: str
    object: Literal["etabli.certificate"] = "etabli.certificate"
    assistant: str
    verdict: str
    bundle: str
    campaign: str
    digest: str
    not_before: int
    not_after: int
    created_at: int
    revoked_at: int | None
    revoked_because: str | None
    signatures: list[SignatureEntry]
    statement: JSON | None = None


class CertificateList(BaseModel):
    """Certificates, the newest first."""

    object: Literal["list"] = "list"
    data: list[CertificateEntry]


class StandingEntry(BaseModel):
    """Whether an assistant may answer, and why.

    Attributes:
        people: who broke the glass.
    """

    state: Literal["draft", "established", "conditional", "break-glass", "closed"]
    certificate: str | None
    verdict: str | None
    until: int | None
    reason: str
    changed: list[str]
    people: list[str] = []


class SuspensionEntry(BaseModel):
    """Why a certificate lost its force in service.

    Attributes:
        reason: for people, with the figures.
    """

    family: str
    violated: int
    tried: int
    suspended_at: int
    reason: str


class ServiceFamily(BaseModel):
    """What one family came to in service.

    Attributes:
        theta0: the share that the certificate tolerates.
        critical: one violation suspends.
        undecided: no program could decide; counted against the bound.
        bound: upper bound at 95 % of how often it goes wrong, whenever one looks; 1 before anything was tried.
        evidence: of the test, which suspends at `line`; at most 1e9.
    """

    id: str
    label: str
    theta0: float
    critical: bool
    tried: int
    violated: int
    undecided: int
    bound: float
    evidence: float
    line: float


class ServiceEntry(BaseModel):
    """What was tried secretly on a version of an assistant since it serves.

    Attributes:
        probes_per_day: of the settings; 0 where nothing is tried.
        since: the first try; null before it.
        suspended: what keeps the certificate from its force now.
    """

    object: Literal["etabli.service"] = "etabli.service"
    certificate: str
    assistant: str
    probes_per_day: int
    since: int | None
    last_at: int | None
    tried: int
    suspended: SuspensionEntry | None
    families: list[ServiceFamily]


class ServiceProbe(BaseModel):
    """One thing that was tried in service: one conversation, or more for pairs and repeated tries."""

    id: int
    family: str
    outcome: str
    tried_at: int
    conversations: list[TranscriptEntry]


class ServiceProbeList(BaseModel):
    """The latest, the newest first."""

    object: Literal["list"] = "list"
    data: list[ServiceProbe]
