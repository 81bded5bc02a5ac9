package read_test

import (
	"weir/recorder/webm/ebml"
	"weir/recorder/webm/webmtest"
)

// claim returns an element's head that claims n bytes of data.
func claim(id ebml.ElementID, n uint64) []byte { return ebml.AppendSize(webmtest.IDBytes(id), n) }
