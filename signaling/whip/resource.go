package whip

import (
	"crypto/rand"
	"io"
	"net/http"
	"slices"
	"strings"

	"weir/sfu/peer"
	"weir/signaling"
)

// serveSession is the session resource.
func (e *Endpoint) serveSession(w http.ResponseWriter, r *http.Request, i signaling.Intent) {
	if r.Method == http.MethodOptions {
		w.Header().Set("Accept-Patch", typeFragment)
		w.WriteHeader(http.StatusOK)
		return
	}
	s, c := e.find(i.Session)
	if s == nil {
		signaling.WriteError(w, e.endings.cause(i.Session))
		return
	}
	if err := c.failure(); err != nil {
		signaling.WriteError(w, err) // it is being torn down
		return
	}
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		w.Header().Set("ETag", c.entityTag())
		w.WriteHeader(http.StatusNoContent)
	case http.MethodPatch:
		if err := c.patch(w, r); err != nil {
			signaling.WriteError(w, err)
		}
	case http.MethodDelete:
		s.End(errStopped)
		select { // so that the name is free when the client reads the answer
		case <-s.Over():
		case <-r.Context().Done():
		}
		w.WriteHeader(http.StatusOK)
	}
}

// patch takes in a fragment of SDP: candidates (RFC 9725 section 4.3.2), which
// are answered by 204, or new ICE credentials with If-Match: * (section 4.3.3),
// answered by 200, a fragment and a new entity tag.
func (c *client) patch(w http.ResponseWriter, r *http.Request) error {
	body, err := readBody(w, r, typeFragment)
	if err != nil {
		return err
	}
	fragment, err := peer.ParseFragment(body)
	if err != nil {
		return err
	}
	restart, err := c.precondition(r.Header.Get("If-Match"))
	if err != nil {
		return err
	}
	trickled := c.peer.Trickle(fragment)
	if trickled == nil {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	if !restart { // other credentials than the session's, but not declared a restart
		return trickled
	}
	answer, err := c.peer.Restart(r.Context(), fragment)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.tag, c.restarted = rand.Text(), true
	c.mu.Unlock()
	w.Header().Set("ETag", c.entityTag())
	w.Header().Set("Content-Type", typeFragment)
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, answer.String())
	return nil
}

// precondition checks If-Match. It reports whether the client means to restart ICE:
// "*", which the drafts also write in quotes. Many clients trickle without it, which is
// clear as long as the session has had one ICE session only.
func (c *client) precondition(ifMatch string) (restart bool, err error) {
	if ifMatch == "" && !c.hasRestarted() {
		return false, nil
	}
	if ifMatch == "" {
		return false, &signaling.Problem{Status: http.StatusPreconditionRequired, Title: "If-Match is needed",
			Detail: "Send If-Match with the ETag of the session, or * to restart ICE."}
	}
	if ifMatch == "*" || ifMatch == `"*"` {
		return true, nil
	}
	tags := strings.Split(ifMatch, ",")
	if slices.ContainsFunc(tags, func(t string) bool { return strings.TrimSpace(t) == c.entityTag() }) {
		return false, nil
	}
	return false, &signaling.Problem{Status: http.StatusPreconditionFailed, Title: "ETag does not match",
		Detail: "The ICE session has changed since. GET the session for its ETag."}
}
