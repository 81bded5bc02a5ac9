package sdp

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// Role is our part in the handshake of DTLS.
type Role int

const (
	Server Role = iota
	Client
)

// setup returns the value of a=setup that tells our role (RFC 4145 section 4): the
// client of DTLS is the active one.
func (r Role) setup() string {
	if r == Client {
		return "active"
	}
	return "passive"
}

// other is the role of the other side.
func (r Role) other() Role {
	if r == Client {
		return Server
	}
	return Client
}

// transportAttributes are those that are the same for all sections of a group (RFC
// 8859 section 5: TRANSPORT and IDENTICAL).
var transportAttributes = []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup"}

func isTransport(key string) bool { return slices.Contains(transportAttributes, key) }

// settleTransport puts what the offer tells of its one transport into each section
// that is taken, and nowhere else: it may be in the session, or in one section of the
// group only (RFC 9143 section 7.1). sections are all of the offer.
func (o *Offer) settleTransport(sections []*sdp.MediaDescription) error {
	taken := o.description.MediaDescriptions
	places := [][]sdp.Attribute{}
	for _, m := range taken {
		places = append(places, m.Attributes)
	}
	places = append(places, o.description.Attributes)
	for i, m := range sections {
		if o.layout[i] != nil {
			places = append(places, m.Attributes)
		}
	}
	told := func(key string) []string {
		for _, attributes := range places {
			if all := values(attributes, key); len(all) > 0 {
				return all
			}
		}
		return nil
	}
	c := Credentials{first(told("ice-ufrag")), first(told("ice-pwd"))}
	if err := c.check(); err != nil {
		return err
	}
	prints, err := knownFingerprints(told("fingerprint"))
	if err != nil {
		return err
	}
	// Without the attribute it is active (RFC 4145 section 4).
	if o.Role, err = answerSetup(append(told("setup"), setupsOf(taken)...)); err != nil {
		return err
	}
	o.Credentials = Credentials{strings.Clone(c.Ufrag), strings.Clone(c.Pwd)} // the offer itself is not kept
	o.Fingerprints = prints
	o.description.Attributes = without(o.description.Attributes, isTransport)
	for _, m := range taken {
		m.Attributes = append(without(m.Attributes, isTransport),
			sdp.Attribute{Key: "ice-ufrag", Value: c.Ufrag}, sdp.Attribute{Key: "ice-pwd", Value: c.Pwd},
			sdp.Attribute{Key: "setup", Value: o.Role.other().setup()})
		for _, f := range prints {
			m.Attributes = append(m.Attributes, sdp.Attribute{Key: "fingerprint", Value: f.String()})
		}
	}
	return nil
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}

func setupsOf(sections []*sdp.MediaDescription) (all []string) {
	for _, m := range sections {
		all = append(all, values(m.Attributes, "setup")...)
	}
	return all
}

// answerSetup returns our role for what an offer has as a=setup (RFC 4145 section 4.1,
// RFC 8842 section 5.3). A client that leaves it to us begins the handshake: so it
// does so no sooner than it has our answer. With holdconn nothing is to be connected
// for now, and there is no second offer by which that could change.
func answerSetup(offered []string) (Role, error) {
	role, decided := Server, ""
	for _, value := range offered {
		switch value {
		case "actpass":
			continue
		case "active", "passive":
		case "holdconn":
			return role, fmt.Errorf("%w: a=setup:holdconn asks not to be connected now; offer actpass, active or passive when you want to be", ErrUnsupported)
		default:
			return role, fmt.Errorf("%w: a=setup:%s is unknown; it must be actpass, active or passive", ErrUnsupported, clip(value))
		}
		if decided != "" && decided != value {
			return role, fmt.Errorf("%w: it has both a=setup:active and a=setup:passive for one transport", ErrOffer)
		}
		if decided = value; value == "passive" {
			role = Client
		}
	}
	return role, nil
}

// checkBundle checks that all sections that are taken go over one transport (RFC
// 9143): there is one port and one DTLS association for all of them. One alone needs
// neither a group nor a name.
func (o *Offer) checkBundle() error {
	group, grouped := o.bundled()
	o.description.Attributes = slices.DeleteFunc(o.description.Attributes, func(a sdp.Attribute) bool { return isBundle(a) })
	var mids []string
	for i, m := range o.Media {
		switch {
		case m.MID == "" && len(o.Media) > 1:
			return fmt.Errorf("%w: the %s section lacks a=mid", ErrOffer, o.description.MediaDescriptions[i].MediaName.Media)
		case slices.Contains(group, m.MID):
			mids = append(mids, m.MID)
		case len(o.Media) > 1:
			return fmt.Errorf("%w: its sections are not bundled; offer them with a=group:BUNDLE (bundlePolicy \"max-bundle\")", ErrUnsupported)
		}
	}
	if grouped && len(mids) > 0 {
		o.description.WithValueAttribute("group", "BUNDLE "+strings.Join(mids, " "))
	}
	return nil
}

func isBundle(a sdp.Attribute) bool {
	return a.Key == "group" && (a.Value == "BUNDLE" || strings.HasPrefix(a.Value, "BUNDLE "))
}

// bundled returns the names of the sections in the group that has the most of those
// that are taken: the offer may have several.
func (o *Offer) bundled() (mids []string, ok bool) {
	most := -1
	for _, a := range o.description.Attributes {
		if !isBundle(a) {
			continue
		}
		group, n := strings.Fields(a.Value)[1:], 0
		for _, m := range o.Media {
			if slices.Contains(group, m.MID) {
				n++
			}
		}
		if n > most {
			most, mids = n, group
		}
	}
	return mids, most >= 0
}

// bundle returns the value of a=group for an answer: the offer's group without the
// sections that are not taken (RFC 9143 section 7.3). An offer of one section may
// have none.
func (o *Offer) bundle() string {
	for _, a := range o.description.Attributes {
		if isBundle(a) {
			return a.Value
		}
	}
	return ""
}

// Credentials are the ICE user name fragment and password of one side.
type Credentials struct{ Ufrag, Pwd string }

// NewCredentials returns credentials with 80 and 128 bits of randomness (RFC 8445
// section 5.3 asks for 24 and 128).
func NewCredentials() Credentials {
	return Credentials{Ufrag: rand.Text()[:16], Pwd: rand.Text()}
}

// check holds c against RFC 8839 section 5.4, so that nothing else gets into a
// description that is made with it. Characters that the RFC leaves out, but that
// do no harm, are let through.
func (c Credentials) check() error {
	const ufragMin, pwdMin, most = 4, 22, 256
	switch {
	case len(c.Ufrag) < ufragMin || len(c.Ufrag) > most || strings.ContainsFunc(c.Ufrag, notVisible):
		return fmt.Errorf("%w: a=ice-ufrag is missing, or not 4 to 256 letters, digits, + and /", ErrOffer)
	case len(c.Pwd) < pwdMin || len(c.Pwd) > most || strings.ContainsFunc(c.Pwd, notVisible):
		return fmt.Errorf("%w: a=ice-pwd is missing, or not 22 to 256 letters, digits, + and /", ErrOffer)
	}
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// Restarted returns the offer with other ICE credentials.
func (o *Offer) Restarted(c Credentials) *Offer {
	next := *o
	next.Credentials = c
	next.description.Origin.SessionVersion++
	next.description.MediaDescriptions = nil
	for _, m := range o.description.MediaDescriptions {
		section := *m
		section.Attributes = slices.Clone(m.Attributes)
		for i, a := range section.Attributes {
			switch a.Key {
			case "ice-ufrag":
				section.Attributes[i].Value = c.Ufrag
			case "ice-pwd":
				section.Attributes[i].Value = c.Pwd
			}
		}
		next.description.MediaDescriptions = append(next.description.MediaDescriptions, &section)
	}
	return &next
}

// values returns the values of all attributes of that name.
func values(attributes []sdp.Attribute, key string) []string {
	var all []string
	for _, a := range attributes {
		if a.Key == key {
			all = append(all, a.Value)
		}
	}
	return all
}
