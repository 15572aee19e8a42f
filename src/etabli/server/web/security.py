"""The headers that keep a page to itself: nothing from elsewhere is loaded, sent to, run or framed.

Source: CSP Level 3; Fetch, "Cross-Origin-Resource-Policy header"; HTML, "Cross-origin opener policies".
"""

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
"""Of every page. No inline script or style: text that came from a model or a document can run nothing."""

_ISOLATION = {"x-content-type-options": "nosniff", "cross-origin-resource-policy": "same-origin"}
PAGE_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "referrer-policy": "no-referrer",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
    **_ISOLATION,
}
STATIC_HEADERS = {
    "cache-control": "public, max-age=31536000, immutable",
    "vary": "accept-encoding",
    **_ISOLATION,
}
