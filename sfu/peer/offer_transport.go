package peer

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pion/sdp/v3"
)

// dtlsRole is our part in the handshake.
type dtlsRole int

const (
	dtlsServer dtlsRole = iota
	dtlsClient
)

// setup returns the value of a=setup that tells our role (RFC 4145 section 4): the
// client of DTLS is the active one.
func (r dtlsRole) setup() string {
	if r == dtlsClient {
		return "active"
	}
	return "passive"
}

// other is the role of the other side.
func (r dtlsRole) other() dtlsRole {
	if r == dtlsClient {
		return dtlsServer
	}
	return dtlsClient
}

// transportAttributes are those that are the same for all sections of a group (RFC
// 8859 section 5: TRANSPORT and IDENTICAL).
var transportAttributes = []string{"ice-ufrag", "ice-pwd", "fingerprint", "setup"}

func isTransport(key string) bool { return slices.Contains(transportAttributes, key) }

// settleTransport puts what the offer tells of its one transport into each section
// that is taken, and nowhere else: it may be in the session, or in one section of the
// group only (RFC 9143 section 7.1). sections are all of the offer.
func (o *offer) settleTransport(sections []*sdp.MediaDescription) error {
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
	c := credentials{first(told("ice-ufrag")), first(told("ice-pwd"))}
	if err := c.check(); err != nil {
		return err
	}
	prints, err := knownFingerprints(told("fingerprint"))
	if err != nil {
		return err
	}
	// Without the attribute it is active (RFC 4145 section 4).
	if o.role, err = answerSetup(append(told("setup"), setupsOf(taken)...)); err != nil {
		return err
	}
	o.description.Attributes = without(o.description.Attributes, isTransport)
	for _, m := range taken {
		m.Attributes = append(without(m.Attributes, isTransport),
			sdp.Attribute{Key: "ice-ufrag", Value: c.ufrag}, sdp.Attribute{Key: "ice-pwd", Value: c.pwd},
			sdp.Attribute{Key: "setup", Value: o.role.other().setup()})
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
func answerSetup(offered []string) (dtlsRole, error) {
	role, decided := dtlsServer, ""
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
			role = dtlsClient
		}
	}
	return role, nil
}

// checkBundle checks that all sections that are taken go over one transport (RFC
// 9143): there is one port and one DTLS association for all of them. One alone needs
// neither a group nor a name.
func (o *offer) checkBundle() error {
	group, grouped := o.bundled()
	o.description.Attributes = slices.DeleteFunc(o.description.Attributes, func(a sdp.Attribute) bool { return isBundle(a) })
	var mids []string
	for i, m := range o.media {
		switch {
		case m.mid == "" && len(o.media) > 1:
			return fmt.Errorf("%w: the %s section lacks a=mid", ErrOffer, o.description.MediaDescriptions[i].MediaName.Media)
		case slices.Contains(group, m.mid):
			mids = append(mids, m.mid)
		case len(o.media) > 1:
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
func (o *offer) bundled() (mids []string, ok bool) {
	most := -1
	for _, a := range o.description.Attributes {
		if !isBundle(a) {
			continue
		}
		group, n := strings.Fields(a.Value)[1:], 0
		for _, m := range o.media {
			if slices.Contains(group, m.mid) {
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
func (o *offer) bundle() string {
	for _, a := range o.description.Attributes {
		if isBundle(a) {
			return a.Value
		}
	}
	return ""
}

// credentials are the ICE user name fragment and password of one side.
type credentials struct{ ufrag, pwd string }

// check holds c against RFC 8839 section 5.4, so that nothing else gets into a
// description that is made with it. Characters that the RFC leaves out, but that
// do no harm, are let through.
func (c credentials) check() error {
	const ufragMin, pwdMin, most = 4, 22, 256
	switch {
	case len(c.ufrag) < ufragMin || len(c.ufrag) > most || strings.ContainsFunc(c.ufrag, notVisible):
		return fmt.Errorf("%w: a=ice-ufrag is missing, or not 4 to 256 letters, digits, + and /", ErrOffer)
	case len(c.pwd) < pwdMin || len(c.pwd) > most || strings.ContainsFunc(c.pwd, notVisible):
		return fmt.Errorf("%w: a=ice-pwd is missing, or not 22 to 256 letters, digits, + and /", ErrOffer)
	}
	return nil
}

func notVisible(r rune) bool { return r <= ' ' || r > '~' }

// credentials returns the ICE credentials of a description of one transport.
func (o *offer) credentials() credentials {
	ufrag, _ := o.description.MediaDescriptions[0].Attribute("ice-ufrag")
	pwd, _ := o.description.MediaDescriptions[0].Attribute("ice-pwd")
	return credentials{ufrag, pwd}
}

// kind returns the media type of the first section that is taken.
func (o *offer) kind() string { return o.description.MediaDescriptions[0].MediaName.Media }

// restarted returns the offer with other ICE credentials.
func (o *offer) restarted(c credentials) (*offer, error) {
	raw, err := o.description.Marshal()
	if err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	next := &offer{media: o.media, layout: o.layout, role: o.role}
	if err := next.description.Unmarshal(raw); err != nil {
		return nil, fmt.Errorf("%w: %v", ErrOffer, err)
	}
	next.setCredentials(c)
	return next, nil
}

// setCredentials puts other ICE credentials into the offer: an ICE restart.
func (o *offer) setCredentials(c credentials) {
	for _, m := range o.description.MediaDescriptions {
		for i := range m.Attributes {
			switch m.Attributes[i].Key {
			case "ice-ufrag":
				m.Attributes[i].Value = c.ufrag
			case "ice-pwd":
				m.Attributes[i].Value = c.pwd
			}
		}
	}
	o.description.Origin.SessionVersion++
}
