package qrcode

import (
	"bytes"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"weir/signaling"
)

// maxBytes is the longest address that is drawn: twice the longest of a stream's page.
// More makes modules that are too small for a camera.
const maxBytes = 1024

// Register adds the route.
func Register(routes *signaling.Routes) {
	routes.Add(signaling.Route{
		Pattern: "/qr.svg",
		Methods: map[string]signaling.Action{http.MethodGet: signaling.ReadPage},
		Own:     true,
		Serve: func(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
			if err := serve(w, r, i.From); err != nil {
				signaling.WriteError(w, err)
			}
		},
	})
}

// serve answers with the code of the address that ?to= names.
func serve(w http.ResponseWriter, r *http.Request, from signaling.Forwarded) error {
	// A proxy that tells nothing hides the host from the server, but not from its pages.
	ownPage := r.Header.Get("Sec-Fetch-Site") == "same-origin"
	text, err := address(r.URL.Query().Get("to"), from, ownPage)
	if err != nil {
		return err
	}
	drawing, err := draw(text)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "image/svg+xml")
	h.Set("Content-Security-Policy", "default-src 'none'") // it can be opened as a document
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "max-age=31536000, immutable")
	h.Set("Vary", "Sec-Fetch-Site")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(drawing))
	return nil
}

// address returns the whole address that a client means, if it is one of this server, or
// if a page of it asks. The error is a Problem.
func address(given string, from signaling.Forwarded, ownPage bool) (string, error) {
	u, err := url.Parse(given)
	switch {
	case given == "":
		return "", refused("Name the address that the code is to lead to, as in /qr.svg?to=/watch/NAME. In it an ampersand is written as %26, a number sign as %23.")
	case err != nil:
		return "", refused("The address in ?to= cannot be read. It is a path such as /watch/NAME, or a whole address of this server.")
	case u.User != nil || !isOwn(u, from, ownPage):
		return "", refused("The address in ?to= is not one of this server. Codes are made for those only: a path such as /watch/NAME, or a whole address that begins as that of this request.")
	}
	text := u.String()
	if u.Host == "" {
		text = from.Origin() + text
	}
	if len(text) > maxBytes {
		return "", refused("The address in ?to= is too long: a code holds " + strconv.Itoa(maxBytes) + " bytes.")
	}
	return text, nil
}

func refused(detail string) error {
	return &signaling.Problem{Status: http.StatusBadRequest, Title: "Bad address", Detail: detail}
}

// isOwn reports whether an address is one of the server that from has reached, by
// whichever of HTTP and HTTPS: not every proxy says which one its clients use. A page of
// the server knows its host better.
func isOwn(u *url.URL, from signaling.Forwarded, ownPage bool) bool {
	if u.Scheme == "" && u.Host == "" {
		return from.Host != "" && strings.HasPrefix(u.Path, "/")
	}
	return (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && (ownPage || plain(u.Host) == plain(from.Host))
}

// plain returns a host in one form, without the ports that browsers leave out.
func plain(host string) string {
	host = strings.ToLower(host)
	return strings.TrimSuffix(strings.TrimSuffix(host, ":80"), ":443")
}
