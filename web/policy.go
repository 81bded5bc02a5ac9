package web

import (
	"net/http"
	"strings"
)

// contentPolicy is as narrow as the pages allow. The words that are not
// obvious: media-src needs blob: for Media Source playback, img-src for the
// picture that stands in while a source is exchanged; a MediaStream set
// as srcObject is not subject to the policy at all; 'self' in connect-src
// covers WebSockets to the same host; Trusted Types turn an innerHTML with data
// into an error instead of a hole.
var contentPolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src 'self'",
	"style-src 'self'",
	"img-src 'self' blob:",
	"media-src 'self' blob:",
	"connect-src 'self'",
	"form-action 'self'",
	"frame-ancestors 'none'",
	"base-uri 'none'",
	"require-trusted-types-for 'script'",
	"trusted-types 'none'",
}, "; ")

// permissions lists what the pages use, for themselves only, and refuses the
// sensors they never ask for.
var permissions = strings.Join([]string{
	"camera=(self)",
	"microphone=(self)",
	"display-capture=(self)",
	"autoplay=(self)",
	"fullscreen=(self)",
	"picture-in-picture=(self)",
	"screen-wake-lock=(self)",
	"clipboard-write=(self)",
	"geolocation=()",
	"payment=()",
	"usb=()",
}, ", ")

func setPolicy(h http.Header) {
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}

// setAssetPolicy sets what an asset needs that only pages refer to, which is less: the
// long policies are for documents, and would be half of what goes over the wire. A
// drawing can be opened as a document.
func setAssetPolicy(h http.Header, extension string) {
	h.Set("X-Content-Type-Options", "nosniff")
	if extension == ".svg" {
		h.Set("Content-Security-Policy", "default-src 'none'")
	}
}
