package transport

import (
	"bytes"
	"net/netip"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"
)

func TestReadBinding(t *testing.T) {
	good := controlling()
	broken := bytes.Clone(good)
	broken[len(broken)-1] ^= 1 // the fingerprint
	altered := bytes.Clone(good)
	altered[stunHeader+stunAttribute] ^= 1 // the user name
	bare, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.NewUsername(testUfrag+":x"), stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name     string
		datagram []byte
		ok       bool
		want     binding
	}{
		{"check", good, true, binding{}},
		{"nomination", controlling(ice.UseCandidate()), true, binding{useCandidate: true}},
		{"client is controlled", checkBy("a:b", testPwd, ice.AttrControlled(7)), true, binding{controlled: true}},
		{"wrong password", checkBy("a:b", "wrong"), false, binding{}},
		{"wrong fingerprint", broken, false, binding{}},
		{"altered", altered, false, binding{}},
		{"no integrity", bare.Raw, false, binding{}},
		{"cut off", good[:30], false, binding{}},
		{"empty", nil, false, binding{}},
	} {
		got, err := readBinding(&stun.Message{}, tt.datagram, testPwd)
		if (err == nil) != tt.ok || got.useCandidate != tt.want.useCandidate || got.controlled != tt.want.controlled {
			t.Errorf("%s: %+v, %v", tt.name, got, err)
		}
	}
}

// TestBindingAnswer: the client learns its address; who wants to be controlled
// learns that it cannot; and nobody gets more bytes than it has sent.
func TestBindingAnswer(t *testing.T) {
	for _, tt := range []struct {
		from       string
		controlled bool
	}{
		{"192.0.2.1:5000", false}, {"[2001:db8::1]:5000", false}, {"[::ffff:192.0.2.1]:5000", false}, {"192.0.2.1:5000", true},
	} {
		request := controlling()
		if tt.controlled {
			request = checkBy(testUfrag+":"+remoteUfrag, testPwd, ice.AttrControlled(1))
		}
		b, err := readBinding(&stun.Message{}, request, testPwd)
		if err != nil {
			t.Fatal(err)
		}
		from := netip.MustParseAddrPort(tt.from)
		raw := b.answer(from, testPwd)
		if len(raw) == 0 || len(raw) > len(request) {
			t.Errorf("%s: an answer of %d bytes to a check of %d", from, len(raw), len(request))
		}
		m := &stun.Message{Raw: raw}
		if err := m.Decode(); err != nil || m.TransactionID != b.id || stun.NewShortTermIntegrity(testPwd).Check(m) != nil || stun.Fingerprint.Check(m) != nil {
			t.Fatalf("%s: answer %v, %v", from, m, err)
		}
		if tt.controlled {
			var code stun.ErrorCodeAttribute
			if err := code.GetFrom(m); m.Type != stun.BindingError || err != nil || code.Code != stun.CodeRoleConflict {
				t.Errorf("a controlled client gets %v, %v", m, err)
			}
			continue
		}
		var mapped stun.XORMappedAddress
		if err := mapped.GetFrom(m); m.Type != stun.BindingSuccess || err != nil || !mapped.IP.Equal(from.Addr().AsSlice()) || mapped.Port != 5000 {
			t.Errorf("%s: mapped address %v, %v", from, mapped, err)
		}
		// The least that a check can be: it asks for more than it brings.
		b.size = 40
		if raw := b.answer(from, testPwd); raw != nil {
			t.Errorf("%s: %d bytes in answer to 40", from, len(raw))
		}
	}
}

func TestUsernameAllocatesNothing(t *testing.T) {
	datagram := controlling()
	if n := testing.AllocsPerRun(100, func() { usernameOf(datagram) }); n != 0 {
		t.Errorf("%v allocations for a check", n)
	}
}

func FuzzBinding(f *testing.F) {
	f.Add(controlling(ice.UseCandidate()))
	f.Add(checkBy("a:b", "wrong"))
	f.Add([]byte{0, 1, 0, 4, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 9})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		before := bytes.Clone(datagram)
		local, remote, ok := usernameOf(datagram)
		m := &stun.Message{Raw: bytes.Clone(datagram)}
		var username stun.Username
		decoded := m.Decode() == nil && username.GetFrom(m) == nil
		if ok && decoded && string(username) != string(local)+":"+string(remote) {
			t.Errorf("user name %q:%q, pion reads %q", local, remote, username)
		}
		b, err := readBinding(&stun.Message{}, datagram, testPwd)
		if err == nil && len(b.answer(netip.MustParseAddrPort("[2001:db8::1]:1"), testPwd)) > len(datagram) {
			t.Error("the answer is larger than the check")
		}
		if !bytes.Equal(datagram, before) {
			t.Error("the datagram was changed")
		}
	})
}
