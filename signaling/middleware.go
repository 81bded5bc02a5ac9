package signaling

import (
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// wrap puts around h what every request gets: a deadline for the answer, headers
// that keep browsers from guessing, a log line, and an end to panics.
func wrap(h http.Handler, log *slog.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		answer := &answer{ResponseWriter: w, prefix: ForwardedOf(r).Prefix}
		// A handler with a long answer sets its own deadline.
		_ = http.NewResponseController(w).SetWriteDeadline(start.Add(answerTimeout))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.Error("request panicked", "path", clip(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				if answer.status == 0 {
					WriteError(answer, errPanic)
				}
			}
			log.Debug("request", "method", r.Method, "path", clip(r.URL.Path), "status", answer.status,
				"duration_ms", time.Since(start).Milliseconds(), "remote", r.RemoteAddr)
		}()
		h.ServeHTTP(answer, r)
	})
}

var errPanic = &Problem{Status: http.StatusInternalServerError, Title: "Internal error",
	Detail: "The server could not do this. Its log says why."}

// answer remembers the status that was sent, and tells a Location as the client sees it.
type answer struct {
	http.ResponseWriter
	prefix string // as Forwarded.Prefix
	status int
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
		// Also of redirects that nobody here has made: http.ServeMux's.
		if to := a.Header().Get("Location"); a.prefix != "" && strings.HasPrefix(to, "/") {
			a.Header().Set("Location", a.prefix+to)
		}
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// maxLogged bounds what of a client's text gets into a log line.
const maxLogged = 256

func clip(s string) string {
	if len(s) > maxLogged {
		return s[:maxLogged] + "..."
	}
	return s
}

// cors lets pages of any origin use h: nothing here rests on cookies. It answers
// preflight requests itself only as far as headers go; OPTIONS is h's own.
func cors(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PATCH, DELETE, OPTIONS")
		header.Set("Access-Control-Allow-Headers", allowedHeaders(r))
		header.Set("Access-Control-Expose-Headers", "Accept-Patch, Accept-Post, Content-Range, ETag, Link, Location, Retry-After")
		header.Set("Access-Control-Max-Age", "86400")
		header.Add("Vary", "Access-Control-Request-Headers")
		h(w, r)
	}
}

const (
	// standardHeaders are the request headers that something here reads.
	standardHeaders = "Authorization, Content-Type, If-Match, Range"
	// maxAskedHeaders and maxHeaderName bound what of a preflight is repeated.
	maxAskedHeaders = 32
	maxHeaderName   = 64
)

// allowedHeaders returns the request headers that a page may send: those that are
// read here, and those that it asks for. Players send some of their own, and a
// browser sends nothing at all if one is not allowed. They do no harm: nobody reads
// them. "*" would not do, for it leaves Authorization out (Fetch section 4.8).
func allowedHeaders(r *http.Request) string {
	allowed, asked := standardHeaders, 0
	for _, line := range r.Header.Values("Access-Control-Request-Headers") {
		for name := range strings.SplitSeq(line, ",") {
			name = strings.TrimSpace(name)
			if asked == maxAskedHeaders {
				return allowed
			}
			if isToken(name) && !listed(standardHeaders, name) {
				allowed += ", " + name
				asked++
			}
		}
	}
	return allowed
}

// listed reports whether a header's name is in a list.
func listed(list, name string) bool {
	for one := range strings.SplitSeq(list, ", ") {
		if strings.EqualFold(one, name) {
			return true
		}
	}
	return false
}

// isToken reports whether a name can be a header's (RFC 9110 section 5.6.2).
func isToken(name string) bool {
	if name == "" || len(name) > maxHeaderName {
		return false
	}
	for _, c := range []byte(name) {
		letter := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
		if !letter && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return true
}
