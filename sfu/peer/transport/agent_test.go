package transport

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/pion/ice/v4"
	"github.com/pion/stun/v4"

	"weir/sfu/peer/sdp"
)

func newTestAgent() *agent {
	return &agent{now: credentials{sdp.Credentials{Ufrag: testUfrag, Pwd: testPwd}, remoteUfrag}}
}

// pathOf is one over UDP, of which what is sent is lost.
func pathOf(address string) Path {
	return Path{UDP, netip.MustParseAddrPort(address), plainConn{nowhere{}}}
}

func (a *agent) take(t *testing.T, datagram []byte, from string) outcome {
	t.Helper()
	return a.check(&stun.Message{}, datagram, pathOf(from))
}

func (a *agent) at(from string) bool { return a.selected == pathOf(from) }

// TestAgentSelects: the first valid check tells the way, until the client has
// chosen one; and it may choose again.
func TestAgentSelects(t *testing.T) {
	const one, two, three = "192.0.2.1:1", "192.0.2.2:2", "[2001:db8::3]:3"
	a := newTestAgent()
	for _, forged := range [][]byte{
		checkBy(testUfrag+":"+remoteUfrag, "wrong"), checkBy(testUfrag+":other", testPwd), checkBy("other:"+remoteUfrag, testPwd), {1, 2, 3},
	} {
		if o := a.take(t, forged, one); o.valid || o.answer != nil || a.selected.Valid() {
			t.Errorf("a forged check yields %+v", o)
		}
	}
	if o := a.take(t, checkBy(testUfrag+":"+remoteUfrag, testPwd, ice.AttrControlled(1)), one); o.valid || o.answer == nil || a.selected.Valid() {
		t.Errorf("a check of a controlled client yields %+v", o)
	}
	for i, step := range []struct {
		from   string
		choose bool
		want   string
	}{
		{one, false, one}, {two, false, one}, {two, true, two}, {one, false, two}, {three, true, three}, {two, false, three},
	} {
		check := controlling()
		if step.choose {
			check = controlling(ice.UseCandidate())
		}
		if o := a.take(t, check, step.from); !o.valid || o.answer == nil || !a.at(step.want) {
			t.Errorf("step %d: %+v, we send to %v, want %v", i, o, a.selected, step.want)
		}
	}
}

// TestAgentFollows: what is sent goes where the client's media come from, once a
// check has come from there, without another choice.
func TestAgentFollows(t *testing.T) {
	const chosen, moved, other = "192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"
	a := newTestAgent()
	a.take(t, controlling(ice.UseCandidate()), chosen)
	a.follow(pathOf(moved))
	if !a.at(chosen) {
		t.Errorf("without a check we send to %v", a.selected)
	}
	a.take(t, controlling(), moved)
	if !a.at(chosen) {
		t.Errorf("after a check alone we send to %v", a.selected)
	}
	a.follow(pathOf(moved))
	if !a.at(moved) {
		t.Errorf("after media from %v we send to %v", moved, a.selected)
	}
	a.take(t, controlling(ice.UseCandidate()), other)
	if !a.at(other) {
		t.Errorf("after a new choice we send to %v", a.selected)
	}
}

// TestAgentRestart: both sessions work until the client uses the new one.
func TestAgentRestart(t *testing.T) {
	const one, two = "192.0.2.1:1", "192.0.2.2:2"
	a := newTestAgent()
	a.take(t, controlling(ice.UseCandidate()), one)
	fresh := credentials{sdp.NewCredentials(), "again"}
	a.restart(fresh)
	if o := a.take(t, controlling(), one); !o.valid || o.done != "" {
		t.Errorf("after the restart an old check yields %+v", o)
	}
	renewed := checkBy(fresh.local.Ufrag+":again", fresh.local.Pwd)
	if o := a.take(t, renewed, two); !o.valid || o.done != testUfrag || !a.at(one) {
		t.Errorf("the first new check yields %+v; we send to %v", o, a.selected)
	}
	if o := a.take(t, controlling(), one); o.valid || o.answer != nil {
		t.Errorf("an old check yields %+v when the new session is in use", o)
	}
	if o := a.take(t, checkBy(fresh.local.Ufrag+":again", fresh.local.Pwd, ice.UseCandidate()), two); !o.valid || o.done != "" || !a.at(two) {
		t.Errorf("a new nomination yields %+v; we send to %v", o, a.selected)
	}
}

// TestAgentKnowsFewWays: a client that comes from ever other addresses costs no
// memory, and does not lose the way that it has chosen.
func TestAgentKnowsFewWays(t *testing.T) {
	const chosen = "192.0.2.1:1"
	a := newTestAgent()
	a.take(t, controlling(ice.UseCandidate()), chosen)
	lost := 0
	for i := range 50 {
		o := a.take(t, controlling(), fmt.Sprintf("192.0.2.9:%d", 1+i))
		if o.lost == pathOf(chosen) {
			t.Fatal("the chosen way is forgotten")
		}
		if o.lost.Valid() {
			lost++
		}
	}
	if len(a.paths) != maxPaths || lost != 51-maxPaths || !a.at(chosen) {
		t.Errorf("%d paths are known, %d were lost, we send to %v", len(a.paths), lost, a.selected)
	}
}
