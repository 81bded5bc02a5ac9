package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A file is what goes out at an address.
type file struct {
	body    []byte
	gzipped []byte // the same, compressed; nil: it is not worth it
	kind    string
	etag    string // of body; that of gzipped differs, as strong ones have to (RFC 9110 section 8.8.3)
}

func newFile(body []byte, kind string) file {
	sum := sha256.Sum256(body)
	return file{body: body, kind: kind, etag: `"` + base64.RawURLEncoding.EncodeToString(sum[:16]) + `"`}
}

const (
	// bestPacking is for what is compressed once and sent for as long as the server runs:
	// some 20 ms for all of it.
	bestPacking = gzip.BestCompression
	// quickPacking is for what is put together for one request: some 100 µs a page, and
	// 1 % longer than the best.
	quickPacking = gzip.DefaultCompression
)

// writers has those of each level: one is 800 kB, and takes longer to make than to use.
var writers = map[int]*sync.Pool{bestPacking: writersOf(bestPacking), quickPacking: writersOf(quickPacking)}

func writersOf(level int) *sync.Pool {
	return &sync.Pool{New: func() any {
		w, _ := gzip.NewWriterLevel(nil, level) // which there is
		return w
	}}
}

// pack returns body compressed.
func pack(body []byte, level int) []byte {
	var out bytes.Buffer
	w := writers[level].Get().(*gzip.Writer)
	defer writers[level].Put(w)
	w.Reset(&out)
	_, _ = w.Write(body) // a Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// reads reports whether r is one of GET and HEAD, and refuses it if it is not.
func reads(w http.ResponseWriter, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return true
	}
	w.Header().Set("Allow", "GET, HEAD")
	http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
	return false
}

// answer answers with f, compressed if the client takes it so. What else the answer says
// of itself, its caching above all, is in its header already.
func answer(w http.ResponseWriter, r *http.Request, status int, f file) {
	h := w.Header()
	if f.gzipped != nil {
		h.Add("Vary", "Accept-Encoding")
	}
	switch encodingFor(r.Header, f.gzipped != nil) {
	case gzipEncoding:
		h.Set("Content-Encoding", gzipEncoding)
		f.body, f.etag = f.gzipped, strings.TrimSuffix(f.etag, `"`)+`-gzip"`
		// Parts of it are of no use to anybody.
		r.Header.Del("Range")
		w = &whole{ResponseWriter: w, length: len(f.body)}
	case noEncoding:
		h.Set("Cache-Control", "no-store")
		http.Error(w, "this is served as it is, or with the content coding gzip; the request's Accept-Encoding refuses both", http.StatusNotAcceptable)
		return
	}
	h.Set("Content-Type", f.kind)
	if status != http.StatusOK { // no version of anything
		h.Set("Content-Length", strconv.Itoa(len(f.body)))
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = w.Write(f.body) // the client is gone
		}
		return
	}
	h.Set("ETag", f.etag)
	// It does the conditional part, from the ETag.
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

// whole makes of http.ServeContent's answer one that has a length, which that leaves out
// where there is a content coding, and no ranges.
type whole struct {
	http.ResponseWriter
	length int
}

// WriteHeader implements http.ResponseWriter.
func (w *whole) WriteHeader(status int) {
	w.Header().Del("Accept-Ranges")
	if status == http.StatusOK {
		w.Header().Set("Content-Length", strconv.Itoa(w.length))
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *whole) Unwrap() http.ResponseWriter { return w.ResponseWriter }
