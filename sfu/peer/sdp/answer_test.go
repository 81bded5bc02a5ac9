package sdp

import (
	"slices"
	"strings"
	"testing"

	"github.com/pion/sdp/v3"

	"weir/sfu/peer/peertest"
)

// TestAnswerWithoutBundle: a single section needs no group.
func TestAnswerWithoutBundle(t *testing.T) {
	o, err := Parse(strings.Replace(session0, "a=group:BUNDLE 0 1\r\n", "", 1)+audioSection("0", "recvonly"), ClientReceives)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := Answerer{}.Answer(o, NewCredentials(), []Source{{Track: "audio", SSRC: 1}})
	if err != nil || strings.Contains(answer, "a=group") || !strings.Contains(answer, "m=audio 9 ") {
		t.Errorf("%v:\n%s", err, answer)
	}
}

func FuzzAnswer(f *testing.F) {
	for _, raw := range peertest.ReceiveOffers() {
		f.Add(raw)
	}
	for _, raw := range peertest.ReceiveOffers() {
		f.Add(strings.ReplaceAll(raw, "recvonly", "sendonly") + "a=rid:h send\r\na=rid:l send\r\na=extmap:4 " + sdp.SDESMidURI + "\r\n")
	}
	a := Answerer{Fingerprint: FingerprintOf(nil), Candidates: []string{"1 1 udp 2130706431 192.0.2.1 8081 typ host"}}
	f.Fuzz(func(t *testing.T, raw string) {
		for _, want := range []Direction{ClientSends, ClientReceives} {
			o, err := Parse(raw, want)
			if err != nil {
				continue
			}
			answer, err := a.Answer(o, NewCredentials(), sourcesOf(o))
			if err != nil {
				t.Fatal(err)
			}
			var d sdp.SessionDescription
			if err := d.UnmarshalString(answer); err != nil {
				t.Fatalf("%v:\n%s", err, answer)
			}
			checkLayout(t, raw, o, &d)
		}
	})
}

// sourcesOf returns something to send by each section of an offer.
func sourcesOf(o *Offer) []Source {
	var all []Source
	for _, m := range o.Media {
		s := Source{Track: "video", SSRC: 1}
		if m.RepairType != NoType {
			s.RepairSSRC = 2
		}
		all = append(all, s)
	}
	return all
}

// checkLayout checks that an answer has a section for each of the offer, in its order,
// and that those which are not taken are no part of anything.
func checkLayout(t *testing.T, raw string, o *Offer, d *sdp.SessionDescription) {
	t.Helper()
	var offered sdp.SessionDescription
	if err := offered.UnmarshalString(raw); err != nil {
		t.Fatal(err)
	}
	if len(d.MediaDescriptions) != len(offered.MediaDescriptions) || len(o.layout) != len(offered.MediaDescriptions) {
		t.Fatalf("%d sections for %d of the offer", len(d.MediaDescriptions), len(offered.MediaDescriptions))
	}
	taken := 0
	group, _ := d.Attribute("group")
	for i, m := range d.MediaDescriptions {
		mid, named := m.Attribute("mid")
		if want, ok := offered.MediaDescriptions[i].Attribute("mid"); mid != want || named != ok && want != "" {
			t.Errorf("section %d has the mid %q, want %q", i, mid, want)
		}
		if m.MediaName.Media != offered.MediaDescriptions[i].MediaName.Media || len(m.MediaName.Formats) == 0 {
			t.Errorf("section %d is %v", i, m.MediaName)
		}
		_, told := m.Attribute("candidate")
		if m.MediaName.Port.Value != 0 {
			if taken++; told != (taken == 1) {
				t.Errorf("section %d: candidates %v", i, told)
			}
			continue
		}
		_, hasTransport := m.Attribute("ice-ufrag")
		if o.layout[i] == nil || told || hasTransport || mid != "" && slices.Contains(strings.Fields(group)[min(1, len(strings.Fields(group))):], mid) {
			t.Errorf("section %d, which is not taken, is %+v, the group %q", i, m, group)
		}
	}
	if taken != len(o.Media) {
		t.Errorf("%d sections are answered, %d taken", taken, len(o.Media))
	}
}
