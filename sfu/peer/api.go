package peer

import (
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	pionnet "github.com/pion/transport/v4"
	"github.com/pion/webrtc/v4"

	"weir/sfu/peer/transport"
)

// api is what the connections of all publishers have in common.
type api struct {
	engine   *webrtc.MediaEngine
	settings webrtc.SettingEngine
}

// quietAgent is how often pion's agents look whether there is something to do. Neither
// paths nor silence is their concern.
const quietAgent = time.Minute

// newAPI returns an api with our codecs only, and without interceptors: what they do,
// a mediaIntake has to see to.
func newAPI(logs loggerFactory, host pionnet.Net) (api, error) {
	engine, err := newMediaEngine()
	if err != nil {
		return api{}, err
	}
	s := webrtc.SettingEngine{LoggerFactory: logs}
	s.SetLite(true)
	s.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	s.SetNetworkTypes([]webrtc.NetworkType{webrtc.NetworkTypeUDP4})
	s.SetICETimeouts(0, 0, quietAgent)
	// The cookie exchange protects from spoofed addresses, and costs a round trip:
	// DTLS is only taken from addresses that have passed ICE.
	s.SetDTLSInsecureSkipHelloVerify(true)
	s.SetSRTPProtectionProfiles(transport.SRTPProfiles...)
	s.SetDTLSCipherSuites(transport.CipherSuites...)
	s.SetNet(host) // one of its own would look for the machine's addresses each time
	return api{engine, s}, nil
}

// newConnection returns a PeerConnection over a mux, the secrets of whose handshake
// are caught.
func (a api) newConnection(c webrtc.Configuration, mux ice.UDPMux, caught *transport.Secrets) (*webrtc.PeerConnection, error) {
	a.settings.SetICEUDPMux(mux)
	a.settings.SetDTLSKeyLogWriter(caught)
	a.settings.SetDTLSServerHelloMessageHook(caught.ServerHello)
	return webrtc.NewAPI(webrtc.WithMediaEngine(a.engine), webrtc.WithSettingEngine(a.settings),
		webrtc.WithInterceptorRegistry(&interceptor.Registry{})).NewPeerConnection(c)
}
