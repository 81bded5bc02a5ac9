package transport

import (
	"bytes"
	"slices"
	"testing"

	"github.com/pion/srtp/v3"

	"weir/sfu/peer/sdp"
)

func TestGreeting(t *testing.T) {
	hello, other := aServerHello(t, 1, 0), aServerHello(t, 2, 0)
	later := aServerHello(t, 1, 1)
	done := aRecord(handshakeRecord, 0, serverHelloDoneMessage, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0)
	request := append([]byte{helloVerifyRequestMessage}, make([]byte, messageHeader-1)...)
	again := aRecord(handshakeRecord, 0, request...)
	finished := aRecord(handshakeRecord, 1, serverHelloMessage)
	change := aRecord(changeCipherSpec, 0, 1)
	fragment := bytes.Clone(hello)
	fragment[recordHeader+8]++ // FragmentOffset
	short := hello[:recordHeader+messageHeader+10]
	short[11], short[12] = 0, messageHeader+10
	short = bytes.Clone(short)
	hello = aServerHello(t, 1, 0)
	// behind puts a message behind another one in the same record.
	behind := func(message []byte) []byte {
		return aRecord(handshakeRecord, 0, append(slices.Clip(done[recordHeader:]), message...)...)
	}
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for _, tt := range []struct {
		name       string
		come, kept [][]byte
		random     byte // 0: none is known
	}{
		{"a server's flights", [][]byte{join(hello, done), join(change, finished)}, [][]byte{join(hello, done), join(change, finished)}, 1},
		{"repeated", [][]byte{hello, hello, done}, [][]byte{hello, hello, done}, 1},
		{"another one behind it", [][]byte{hello, other, done}, [][]byte{hello, nil, done}, 1},
		{"the same with another number", [][]byte{hello, later}, [][]byte{hello, nil}, 1},
		{"in pieces", [][]byte{fragment, hello}, [][]byte{nil, hello}, 1},
		{"cut off", [][]byte{short, hello}, [][]byte{nil, hello}, 1},
		{"asked to say hello again", [][]byte{again, later, done}, [][]byte{again, later, done}, 1},
		{"asked too often", [][]byte{again, again, again, again, again, later}, [][]byte{again, again, again, nil, nil, later}, 1},
		{"asked when it is too late", [][]byte{hello, again}, [][]byte{hello, nil}, 1},
		{"asked too often behind something else", [][]byte{behind(request), behind(request), behind(request), behind(request)}, [][]byte{behind(request), behind(request), behind(request), nil}, 0},
		{"another one behind something else", [][]byte{hello, behind(other[recordHeader:]), behind(hello[recordHeader:])}, [][]byte{hello, nil, behind(hello[recordHeader:])}, 1},
		{"a message and half of one", [][]byte{behind(request[:messageHeader-1]), behind([]byte{1})}, [][]byte{nil, nil}, 0},
		{"nothing", [][]byte{done}, [][]byte{done}, 0},
	} {
		g := greeting{known: &Secrets{}}
		for i, datagram := range tt.come {
			if got := g.filter(bytes.Clone(datagram)); !bytes.Equal(got, tt.kept[i]) {
				t.Errorf("%s: of datagram %d %x is let through, want %x", tt.name, i, got, tt.kept[i])
			}
		}
		want := bytes.Repeat([]byte{tt.random}, 32)
		if tt.random == 0 {
			want = nil
		}
		if !bytes.Equal(g.known.serverRandom, want) || tt.random > 0 && g.known.profile != srtp.ProtectionProfileAeadAes128Gcm {
			t.Errorf("%s: the random is %x, the profile %v", tt.name, g.known.serverRandom, g.known.profile)
		}
	}
}

func FuzzGreeting(f *testing.F) {
	f.Add(aServerHello(f, 1, 0), aServerHello(f, 2, 0))
	f.Add(aRecord(handshakeRecord, 0, helloVerifyRequestMessage), aServerHello(f, 2, 1))
	f.Fuzz(func(t *testing.T, one, two []byte) {
		g := greeting{known: &Secrets{}}
		first := bytes.Clone(g.filter(sift(one, sdp.Client, false).handshake))
		random := bytes.Clone(g.known.serverRandom)
		second := g.filter(sift(two, sdp.Client, false).handshake)
		if len(first) > len(one) || len(second) > len(two) {
			t.Error("more comes out than went in")
		}
		if random != nil && !bytes.Equal(random, g.known.serverRandom) {
			t.Error("a second hello is believed")
		}
	})
}
