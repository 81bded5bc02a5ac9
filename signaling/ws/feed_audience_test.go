package ws

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// audience is a crowd of clients that cost next to nothing: sockets whose messages
// are all read into one buffer. What each of them gets is compared with what
// the others got.
type audience struct {
	url  string
	name string
	wait sync.WaitGroup

	// guarded by mu
	mu      sync.Mutex
	scratch []byte   // one message
	init    []byte   // the init segment
	units   []uint32 // sums of the blocks that came, in their order
	members []*member
	err     error // the first thing that was wrong
}

// member is one client of an audience. All but conn is guarded by audience.mu.
type member struct {
	conn  net.Conn
	begun bool
	at    int // its newest unit, in audience.units
	ended bool
	over  bool // nothing is read any more
}

// clusterHeadSize is what precedes the blocks in each message of Clusters.
const clusterHeadSize = 22

// connect opens the socket of one client, which says hello and reads nothing but the
// answer to the handshake.
func connect(address, name string) (net.Conn, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	conn, err := net.Dial("tcp", u.Host)
	if err != nil {
		return nil, err
	}
	hello := `{"type":"hello","framing":"clusters"}`
	fmt.Fprintf(conn, "GET /ws/watch/%s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n", name, u.Host)
	var answer []byte // byte by byte: what follows are messages
	for one := make([]byte, 1); !bytes.HasSuffix(answer, []byte("\r\n\r\n")); answer = append(answer, one[0]) {
		if _, err := io.ReadFull(conn, one); err != nil {
			conn.Close()
			return nil, err
		}
	}
	if !strings.HasPrefix(string(answer), "HTTP/1.1 101 ") {
		conn.Close()
		return nil, fmt.Errorf("%q", answer)
	}
	// Text, masked with zeroes (RFC 6455 section 5.2).
	_, err = conn.Write(append([]byte{0x81, 0x80 | byte(len(hello)), 0, 0, 0, 0}, hello...))
	return conn, err
}

// join adds n clients, which read to the end of their socket.
func (a *audience) join(n int) error {
	for range n {
		conn, err := connect(a.url, a.name)
		if err != nil {
			return err
		}
		m := &member{conn: conn, at: -1}
		a.mu.Lock()
		a.members = append(a.members, m)
		a.mu.Unlock()
		a.wait.Go(func() { a.read(m) })
	}
	return nil
}

// close ends all clients.
func (a *audience) close() {
	for _, m := range a.members {
		m.conn.Close()
	}
	a.wait.Wait()
}

func (a *audience) read(m *member) {
	var head [10]byte
	for {
		if _, err := io.ReadFull(m.conn, head[:2]); err != nil { // here it waits, without the buffer
			a.mu.Lock()
			m.over = true
			a.mu.Unlock()
			return
		}
		if !a.readMessage(m, head[:]) {
			return
		}
	}
}

// readMessage reads the message whose first two bytes are in head.
func (a *audience) readMessage(m *member, head []byte) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.scratch = a.scratch[:0]
	opcode := head[0] & 0xF
	for {
		n, err := readLength(m.conn, head)
		if err == nil {
			from := len(a.scratch)
			a.scratch = append(a.scratch, make([]byte, n)...)
			_, err = io.ReadFull(m.conn, a.scratch[from:])
		}
		if err == nil && head[0]&0x80 != 0 {
			break
		}
		if err == nil {
			_, err = io.ReadFull(m.conn, head[:2])
		}
		if err != nil {
			m.over = true
			return false
		}
	}
	switch opcode {
	case 1:
		m.ended = m.ended || bytes.Contains(a.scratch, []byte(`"ended"`))
	case 2:
		a.media(m)
	}
	return true
}

// readLength reads how long a frame is (RFC 6455 section 5.2).
func readLength(r io.Reader, head []byte) (int, error) {
	switch n := head[1] & 0x7F; n {
	case 126:
		_, err := io.ReadFull(r, head[2:4])
		return int(binary.BigEndian.Uint16(head[2:])), err
	case 127:
		_, err := io.ReadFull(r, head[2:10])
		return int(binary.BigEndian.Uint64(head[2:])), err
	default:
		return int(n), nil
	}
}

// media takes a binary message. Called with mu held.
func (a *audience) media(m *member) {
	fail := func(format string, args ...any) {
		if a.err == nil {
			a.err = fmt.Errorf(format, args...)
		}
	}
	if !m.begun {
		m.begun = true
		if a.init == nil {
			a.init = bytes.Clone(a.scratch)
		}
		if !bytes.Equal(a.init, a.scratch) {
			fail("init segments differ")
		}
		return
	}
	if len(a.scratch) < clusterHeadSize {
		fail("a unit of %d bytes", len(a.scratch))
		return
	}
	sum := crc32.ChecksumIEEE(a.scratch[clusterHeadSize:])
	next := m.at + 1
	if m.at < 0 {
		for next < len(a.units) && a.units[next] != sum {
			next++ // it came late
		}
	}
	if next == len(a.units) {
		a.units = append(a.units, sum)
	}
	if a.units[next] != sum {
		fail("a client did not get unit %d when it was next", next)
	}
	m.at = next
}

// until waits until ok is true of every client, and fails if something was wrong.
func (a *audience) until(t testing.TB, what string, ok func(*member) bool) {
	t.Helper()
	deadline := time.Now().Add(watchPatience)
	for {
		a.mu.Lock()
		missing := 0
		for _, m := range a.members {
			if !ok(m) {
				missing++
			}
		}
		err := a.err
		a.mu.Unlock()
		switch {
		case err != nil:
			t.Fatal(err)
		case missing == 0:
			return
		case time.Now().After(deadline):
			m := a.members[0]
			t.Fatalf("%s: not so for %d of %d clients; the first has unit %d of %d", what, missing, len(a.members), m.at, len(a.units))
		}
		time.Sleep(5 * time.Millisecond)
	}
}
