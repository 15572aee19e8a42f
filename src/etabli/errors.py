"""The tree of errors that Établi raises. No heavy imports.

Every message says what was found, what is allowed and what to do. A class exists where a caller acts
differently; `code` is the machine-readable word of the HTTP answer.

    EtabliError
    ├── ConfigurationError          a setting or a YAML file is wrong
    ├── InvalidInputError           a request, an argument or a file cannot be used
    │   ├── ContextLengthError      the prompt does not fit in the model's context
    │   └── RequestTooLargeError    the body of the request is too large
    ├── NotFoundError               a model, document, collection or assistant does not exist
    │   └── ModelNotFoundError      no model or assistant of that name answers at the API
    ├── ConflictError               somebody changed it meanwhile, or something else is under way
    ├── NotEstablishedError         a published assistant has no valid certificate for what it is now
    ├── AuthenticationError         the key is missing or wrong
    ├── CrossSiteError              a browser was made to send a request by another site
    ├── EgressDeniedError           an address outside the machine that no person allowed
    ├── ModelStoreError             the model store could not do what was asked
    │   ├── IntegrityError          bytes whose SHA-256 is not the expected one
    │   ├── DownloadError           a source did not deliver
    │   └── DiskSpaceError          not enough room
    ├── EngineError                 the engine failed
    │   ├── EngineUnavailableError  it does not answer, or died in the middle of a request
    │   ├── EngineRequestError      it refused the request
    │   └── OutputFormatError       what the model wrote is not the JSON that was asked for
    ├── DocumentError               one document could not be read; carries a `state`
    ├── StorageError                the database cannot be used
    ├── BackupError                 a backup cannot be made, or a file is no sound backup
    ├── CertificateError            a certificate, a key or evidence cannot be made, read or trusted
    ├── IndexMismatchError          the index was filled by another embedding model
    ├── JudgeRefusedError           a model was not shown to judge well enough
    └── AlreadyServingError         another process serves this workspace; carries its address
"""


class EtabliError(Exception):
    """Base of all errors a person may be shown. The message is for people, in their language."""

    code: str = "internal_error"
    http_status: int = 500


class ConfigurationError(EtabliError):
    """A setting or a YAML file is wrong."""

    code = "invalid_configuration"


class InvalidInputError(EtabliError):
    """A request, an argument or a file cannot be used as it is.

    Args:
        message: for people.
        param: the field of the request that is wrong, when there is one.
    """

    code = "invalid_request"
    http_status = 400

    def __init__(self, message: str, *, param: str | None = None) -> None:
        super().__init__(message)
        self.param = param


class ContextLengthError(InvalidInputError):
    """The prompt does not fit in the model's context."""

    code = "context_length_exceeded"


class RequestTooLargeError(InvalidInputError):
    """The body of the request is too large."""

    code = "request_too_large"
    http_status = 413


class NotFoundError(EtabliError):
    """A model, document, collection or assistant does not exist (or the caller may not know that it does)."""

    code = "not_found"
    http_status = 404


class ModelNotFoundError(NotFoundError):
    """No model or assistant of that name answers at the API, or the caller may not know that it does."""

    code = "model_not_found"


class ConflictError(EtabliError):
    """It cannot be done now: somebody else changed the same thing, or something else is under way."""

    code = "conflict"
    http_status = 409


class NotEstablishedError(EtabliError):
    """A published assistant has no valid certificate for what it is made of now."""

    code = "not_established"
    http_status = 403


class AuthenticationError(EtabliError):
    """The key is missing or wrong."""

    code = "invalid_api_key"
    http_status = 401


class CrossSiteError(EtabliError):
    """A browser sent its session along with a request that our own pages did not make."""

    code = "cross_site_request"
    http_status = 403


class EgressDeniedError(EtabliError):
    """An address outside this machine that no person allowed in the settings."""

    code = "egress_denied"
    http_status = 403


class ModelStoreError(EtabliError):
    """The model store could not do what was asked."""

    code = "model_store_error"


class IntegrityError(ModelStoreError):
    """Bytes whose SHA-256 is not the expected one."""

    code = "integrity_error"


class DownloadError(ModelStoreError):
    """A source did not deliver."""

    code = "download_error"


class DiskSpaceError(ModelStoreError):
    """Not enough room on the disk."""

    code = "disk_space"


class EngineError(EtabliError):
    """The engine failed."""

    code = "engine_error"
    http_status = 502


class EngineUnavailableError(EngineError):
    """The engine does not answer, or died in the middle of a request."""

    code = "engine_unavailable"
    http_status = 503


class EngineRequestError(EngineError):
    """The engine refused the request; its own words are in the message."""

    code = "engine_request_refused"
    http_status = 400


class OutputFormatError(EngineError):
    """What the model wrote is not the JSON that was asked for, also after a second try."""

    code = "invalid_output"


class DocumentError(EtabliError):
    """One document could not be read.

    Args:
        message: for people: what was found and what to do.
        state: the word stored with the document: `empty`, `encrypted`, `broken`, `too_large`,
            `unsupported`, `needs_ocr`, `timeout`, `unsafe`.
    """

    code = "document_error"
    http_status = 422

    def __init__(self, message: str, *, state: str) -> None:
        super().__init__(message)
        self.state = state


class StorageError(EtabliError):
    """The database cannot be used."""

    code = "storage_error"
    http_status = 503


class BackupError(EtabliError):
    """A backup cannot be made, or a file is no sound backup."""

    code = "backup_error"
    http_status = 422


class CertificateError(EtabliError):
    """A certificate, a signing key or a piece of evidence cannot be made, read or trusted."""

    code = "invalid_certificate"
    http_status = 422


class IndexMismatchError(EtabliError):
    """The index was filled by another embedding model than the one configured."""

    code = "index_mismatch"
    http_status = 409


class JudgeRefusedError(EtabliError):
    """A model was not shown to judge this kind of reply well enough: a person must decide."""

    code = "judge_refused"
    http_status = 409


class AlreadyServingError(EtabliError):
    """Another process serves this workspace.

    Args:
        message: for people.
        url: its address, or None while it starts.
    """

    code = "already_serving"
    http_status = 409

    def __init__(self, message: str, *, url: str | None) -> None:
        super().__init__(message)
        self.url = url
