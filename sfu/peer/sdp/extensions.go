package sdp

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pion/sdp/v3"
)

// Extensions are the numbers of the header extensions by which packets of a publisher
// tell what they belong to (RFC 9143 section 15, RFC 8852), and of the transport-wide
// number that bandwidth feedback refers to; 0: not negotiated.
type Extensions struct{ MID, RID, RepairedRID, TransportCC uint8 }

// extensionURIs are the header extensions that publishers may use.
var extensionURIs = []string{sdp.SDESMidURI, sdp.SDESRTPStreamIDURI, sdp.SDESRepairRTPStreamIDURI, sdp.TransportCCURI}

// extension is a header extension that is negotiated (RFC 8285 section 5).
type extension struct {
	number uint8
	uri    string
}

// extensionsOf returns those header extensions of a section that publishers may use and
// that the client is to send.
func extensionsOf(m *sdp.MediaDescription) []extension {
	var taken []extension
	for _, value := range values(m.Attributes, "extmap") {
		fields := strings.Fields(value)
		if len(fields) < 2 || !slices.Contains(extensionURIs, fields[1]) {
			continue
		}
		number, direction, _ := strings.Cut(fields[0], "/")
		n, err := strconv.ParseUint(number, 10, 8)
		if err != nil || n == 0 || direction == string(ClientReceives) || direction == "inactive" {
			continue
		}
		twice := func(x extension) bool { return x.number == uint8(n) || x.uri == fields[1] }
		if !slices.ContainsFunc(taken, twice) {
			taken = append(taken, extension{uint8(n), fields[1]})
		}
	}
	return taken
}
