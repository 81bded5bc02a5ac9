package load

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"
)

const (
	typeSDP     = "application/sdp"
	maxAnswer   = 1 << 20 // bytes
	requestTime = 30 * time.Second
)

// refusal is an answer with another status than 201.
type refusal struct {
	code int
	text string
}

// Error implements error.
func (r *refusal) Error() string { return r.text }

// notLive reports whether err is a WHEP server's answer while no publisher has the
// name: 409 with Retry-After in the draft, 404 of many servers.
func notLive(err error) bool {
	var r *refusal
	return errors.As(err, &r) && (r.code == http.StatusConflict || r.code == http.StatusNotFound)
}

// newClient returns a client that keeps connections: what is measured is joins,
// not TCP.
func newClient() *http.Client {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 256, 256
	return &http.Client{Transport: t, Timeout: requestTime}
}

// session is what a POST has made.
type session struct {
	client *http.Client
	url    string
	token  string
}

// post offers (RFC 9725 section 4.2) and returns the answer.
func post(ctx context.Context, client *http.Client, endpoint, token, offer string) (*session, string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, endpoint, strings.NewReader(offer))
	if err != nil {
		return nil, "", err
	}
	request.Header.Set("Content-Type", typeSDP)
	authorize(request, token)
	response, err := client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return nil, "", fmt.Errorf("POST %s: %w", endpoint, err)
	}
	if err := checkCreated(response, body); err != nil {
		return nil, "", fmt.Errorf("POST %s: %w", endpoint, err)
	}
	location, err := response.Location()
	if err != nil {
		return nil, "", fmt.Errorf("POST %s: the answer has no Location header (RFC 9725 section 4.2), so the session could not be ended", endpoint)
	}
	return &session{client, location.String(), token}, string(body), nil
}

func authorize(r *http.Request, token string) {
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
}

// checkCreated says what is wrong with an answer that is not "201 Created" with
// SDP.
func checkCreated(response *http.Response, body []byte) error {
	kind := response.Header.Get("Content-Type")
	switch {
	case response.StatusCode == http.StatusCreated && strings.HasPrefix(kind, typeSDP):
		return nil
	case response.StatusCode == http.StatusCreated:
		return fmt.Errorf("the answer is %q, not %s", kind, typeSDP)
	case response.StatusCode == http.StatusNotAcceptable:
		return fmt.Errorf("%s: the server makes offers of its own, which is not supported here", response.Status)
	default:
		return &refusal{response.StatusCode, response.Status + detail(kind, body)}
	}
}

// detail is what a server says about an error: the detail of a problem document
// (RFC 9457), or the beginning of any text that is not a page.
func detail(kind string, body []byte) string {
	if strings.HasPrefix(kind, "text/html") {
		return ""
	}
	var problem struct{ Detail, Title string }
	text := string(body)
	if json.Unmarshal(body, &problem) == nil && problem.Detail+problem.Title != "" {
		text = first(problem.Detail, problem.Title)
	}
	if text = strings.Join(strings.Fields(text), " "); text == "" {
		return ""
	}
	return ": " + text[:min(len(text), 200)]
}

// end ends the session.
func (s *session) end(ctx context.Context) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.url, nil)
	if err != nil {
		return err
	}
	authorize(request, s.token)
	response, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, maxAnswer)) // so that the connection is used again
	if response.StatusCode >= 300 && response.StatusCode != http.StatusNotFound {
		return fmt.Errorf("DELETE %s: %s", s.url, response.Status)
	}
	return nil
}

// localAddress is the IPv4 address from which an endpoint is reached.
func localAddress(endpoint string) netip.Addr {
	loopback := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	u, err := url.Parse(strings.ReplaceAll(endpoint, "{name}", "x"))
	if err != nil {
		return loopback
	}
	// Connecting a UDP socket sends nothing; it only looks up the route.
	conn, err := net.Dial("udp4", net.JoinHostPort(u.Hostname(), "9"))
	if err != nil {
		return loopback
	}
	defer conn.Close()
	if a, ok := conn.LocalAddr().(*net.UDPAddr); ok {
		return a.AddrPort().Addr().Unmap()
	}
	return loopback
}
