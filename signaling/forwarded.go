package signaling

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Forwarded is how a client reached the server: as the connection shows it, or as
// trusted proxies report it.
type Forwarded struct {
	For    netip.Addr // the client's address; the zero Addr if it is not known
	Proto  string     // http or https
	Host   string     // host and port of the client's URL
	Prefix string     // the path below which the client sees the server's: "" or such as "/media"
}

// Origin returns where the client sees the root of the server, without a slash at its end,
// such as https://live.example/media; "" if the host is not known.
func (f Forwarded) Origin() string {
	if f.Host == "" {
		return ""
	}
	return f.Proto + "://" + f.Host + f.Prefix
}

// ForwardedOf returns how the client of r reached the server. Where Listen's server
// did not take the request, as in a test, the connection alone is looked at.
func ForwardedOf(r *http.Request) Forwarded {
	if f, ok := r.Context().Value(forwardedKey{}).(Forwarded); ok {
		return f
	}
	return connected(r)
}

type forwardedKey struct{}

// connected returns what the connection of r shows.
func connected(r *http.Request) Forwarded {
	f := Forwarded{Proto: "http", Host: r.Host}
	if r.TLS != nil {
		f.Proto = "https"
	}
	if at, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		f.For = plain(at.Addr())
	}
	return f
}

// Proxies are the reverse proxies between clients and the server. The zero value is
// none.
type Proxies struct {
	// BasePath is the path below which clients see the server, as ParseBasePath
	// returns it. A proxy may take it off the requests or leave it there.
	BasePath string
	// Trusted are the proxies whose X-Forwarded-For, -Proto, -Host and -Prefix count.
	// Those of all other addresses are ignored.
	Trusted []netip.Prefix
}

// roots are the first parts of the paths that the server itself has, or is to have.
// A prefix that begins like one of them could not be told from it.
var roots = []string{
	"api", "compat", "dashboard", "doctor", "healthz", "login", "metrics", "publish", "qr.svg", "readyz", "recordings", "session",
	"static", "streams", "watch", "whep", "whip", "ws",
}

// segments of a prefix are what no proxy writes otherwise: unreserved characters (RFC
// 3986 section 2.3).
var prefixForm = regexp.MustCompile(`^(/[A-Za-z0-9._~-]{1,64}){1,8}$`)

// ParseBasePath reads a path such as "/media". A slash at its end is ignored, and
// "/" or "" is none.
func ParseBasePath(s string) (string, error) {
	prefix, ok := parsePrefix(s)
	if !ok {
		return "", errors.New("it must be a path such as /media, of letters, digits and . _ ~ -")
	}
	if isOwn(prefix) {
		return "", fmt.Errorf("/%s is a path of weir's own; choose another name", firstSegment(prefix))
	}
	return prefix, nil
}

func parsePrefix(s string) (prefix string, ok bool) {
	s = strings.TrimSuffix(s, "/")
	return s, s == "" || prefixForm.MatchString(s) && path.Clean(s) == s
}

func isOwn(prefix string) bool { return slices.Contains(roots, firstSegment(prefix)) }

func firstSegment(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	return first
}

// ParseTrusted reads addresses and networks (CIDR), separated by commas.
func ParseTrusted(s string) ([]netip.Prefix, error) {
	var trusted []netip.Prefix
	for given := range strings.SplitSeq(s, ",") {
		if given = strings.TrimSpace(given); given == "" {
			continue
		}
		network, err := netip.ParsePrefix(given)
		if err != nil {
			addr, addrErr := netip.ParseAddr(given)
			if addrErr != nil {
				return nil, fmt.Errorf("%q is no address or network; write 127.0.0.1 or 10.0.0.0/8, several with commas", given)
			}
			network = netip.PrefixFrom(plain(addr), plain(addr).BitLen())
		}
		trusted = append(trusted, network.Masked())
	}
	return trusted, nil
}

// plain returns addr in the one form in which addresses are compared.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func (p Proxies) trusts(addr netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(n netip.Prefix) bool { return n.Contains(addr) })
}

// inFrontOf returns a handler that shows h requests as their clients made them: below no
// prefix, to the host and from the address that the client has. ForwardedOf has the
// rest.
func (p Proxies) inFrontOf(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		f := p.readForwarded(r)
		for _, name := range forwardedHeaders {
			r.Header.Del(name) // so that no handler believes it by mistake
		}
		if f.For != connected(r).For {
			r.RemoteAddr = f.For.String() // a proxy tells no port
		}
		r.Host = f.Host
		r = r.WithContext(context.WithValue(r.Context(), forwardedKey{}, f))
		if !isOwn(f.Prefix) { // else the proxy has taken it off, as it has to
			r.URL = below(r.URL, f.Prefix)
		}
		r.URL = below(r.URL, p.BasePath)
		if r.URL.Path == "" { // the prefix without a slash: addresses in the page would lead outside
			w.Header().Set("Location", f.Prefix+"/")
			w.WriteHeader(http.StatusPermanentRedirect)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// below returns u without prefix, if it has it.
func below(u *url.URL, prefix string) *url.URL {
	rest, ok := strings.CutPrefix(u.Path, prefix)
	if !ok || prefix == "" || rest != "" && rest[0] != '/' {
		return u
	}
	v := *u
	v.Path = rest
	// Without it Path is taken, which differs from it by percent-encoded slashes only.
	v.RawPath, _ = strings.CutPrefix(u.RawPath, prefix)
	return &v
}

// The headers of proxies. A proxy behind another one puts its value behind a comma, or
// in a line of its own.
const (
	forwardedFor    = "X-Forwarded-For"
	forwardedProto  = "X-Forwarded-Proto"
	forwardedHost   = "X-Forwarded-Host"
	forwardedPrefix = "X-Forwarded-Prefix"
)

var forwardedHeaders = []string{forwardedFor, forwardedProto, forwardedHost, forwardedPrefix}

// readForwarded returns how the client reached the server. Each proxy on the path has
// added the address that it was reached from, so they are followed backwards up to the
// first that is not trusted: a client may have written all that stands in front of it.
func (p Proxies) readForwarded(r *http.Request) Forwarded {
	f := connected(r)
	f.Prefix = p.BasePath
	if !p.trusts(f.For) {
		return f
	}
	hops := 1
	for _, told := range slices.Backward(headerList(r.Header, forwardedFor)) {
		addr, ok := parseNode(told)
		if !ok {
			break
		}
		f.For = addr
		if !p.trusts(addr) {
			break
		}
		hops++
	}
	if proto := outermost(r.Header, forwardedProto, hops); proto == "http" || proto == "https" {
		f.Proto = proto
	}
	if host := outermost(r.Header, forwardedHost, hops); isHost(host) {
		f.Host = host
	}
	if prefixes := last(headerList(r.Header, forwardedPrefix), hops); len(prefixes) > 0 {
		// Each proxy reports the prefix that it has taken off.
		if prefix, ok := joinPrefixes(prefixes); ok {
			f.Prefix = prefix
		}
	}
	return f
}

// headerList returns the values of a header that lists them.
func headerList(h http.Header, name string) []string {
	var all []string
	for _, line := range h.Values(name) {
		for value := range strings.SplitSeq(line, ",") {
			all = append(all, strings.TrimSpace(value))
		}
	}
	return all
}

// last returns the last n of list, or all.
func last(list []string, n int) []string { return list[max(0, len(list)-n):] }

// outermost returns the value of the outermost of hops trusted proxies, or of the
// outermost that has sent one.
func outermost(h http.Header, name string, hops int) string {
	if told := last(headerList(h, name), hops); len(told) > 0 {
		return strings.ToLower(told[0])
	}
	return ""
}

// parseNode reads an address, which some proxies write with a port.
func parseNode(s string) (netip.Addr, bool) {
	if at, err := netip.ParseAddrPort(s); err == nil {
		return plain(at.Addr()), true
	}
	addr, err := netip.ParseAddr(strings.Trim(s, "[]"))
	return plain(addr), err == nil
}

// isHost reports whether s is a host, with a port or without.
func isHost(s string) bool {
	u, err := url.Parse("//" + s)
	return err == nil && s != "" && len(s) <= 255 && u.Host == s && u.Hostname() != ""
}

func joinPrefixes(list []string) (joined string, ok bool) {
	for _, s := range list {
		prefix, ok := parsePrefix(s)
		if !ok {
			return "", false
		}
		joined += prefix
	}
	return joined, true
}
