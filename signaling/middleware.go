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
		response := &response{ResponseWriter: w, prefix: ForwardedOf(r).Prefix}
		// A handler with a long answer sets its own deadline.
		_ = http.NewResponseController(w).SetWriteDeadline(start.Add(answerTimeout))
		w.Header().Set("X-Content-Type-Options", "nosniff")
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p)
				}
				log.Error("request panicked", "path", clip(r.URL.Path), "panic", p, "stack", string(debug.Stack()))
				if response.status == 0 {
					WriteError(response, errPanic)
				}
			}
			log.Debug("request", "method", r.Method, "path", clip(r.URL.Path), "status", response.status,
				"duration_ms", time.Since(start).Milliseconds(), "remote", r.RemoteAddr)
		}()
		h.ServeHTTP(response, r)
	})
}

var errPanic = &Problem{Status: http.StatusInternalServerError, Title: "Internal error",
	Detail: "The server could not do this. Its log says why."}

// response remembers the status that was sent, and puts the prefix that the client sees
// in front of a Location.
type response struct {
	http.ResponseWriter
	prefix string // as Forwarded.Prefix
	status int
}

// WriteHeader implements http.ResponseWriter.
func (r *response) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
		// This is also for the redirects of http.ServeMux.
		if to := r.Header().Get("Location"); r.prefix != "" && strings.HasPrefix(to, "/") {
			r.Header().Set("Location", r.prefix+to)
		}
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (r *response) Write(b []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach the connection.
func (r *response) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// maxLogged is how many bytes of a client's text get into a log line.
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
		header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")
		header.Set("Access-Control-Allow-Headers", allowedHeaders(r))
		header.Set("Access-Control-Expose-Headers", "Accept-Patch, Accept-Post, Content-Range, ETag, Link, Location, Retry-After")
		header.Set("Access-Control-Max-Age", "86400")
		header.Add("Vary", "Access-Control-Request-Headers")
		h(w, r)
	}
}

const (
	// standardHeaders are the request headers that the server reads.
	standardHeaders = "Authorization, Content-Type, If-Match, Range"
	// maxAskedHeaders and maxHeaderName bound what an answer repeats of a preflight.
	maxAskedHeaders = 32
	maxHeaderName   = 64
)

// allowedHeaders returns the request headers that a page may send: those that are
// read here, and those that it asks for. Players send some of their own, and a
// browser sends nothing at all if one is not allowed. They do no harm: no code reads
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
