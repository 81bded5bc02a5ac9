package codec

const (
	// How many sets of each kind are kept: what an AVCDecoderConfigurationRecord
	// can tell.
	maxSequenceSets = avcMaxSPS
	maxPictureSets  = avcMaxPPS
	// maxSetsBytes bounds what is kept of each kind. What encoders send is some
	// tens of bytes.
	maxSetsBytes = 16 << 10
)

// h264Sets are the newest parameter sets of a stream, each under its number, for
// pictures that come without theirs. The zero value is empty.
type h264Sets struct {
	sequence, picture setList
}

// setList is the sets of one kind, in the order in which their numbers first came.
type setList struct {
	ids   []uint32
	units [][]byte
	bytes int
}

// learn takes in a NAL unit if it is a parameter set. It keeps no reference to it.
func (s *h264Sets) learn(nal []byte) {
	var buf [16]byte
	switch nal[0] & nalTypeMask {
	case nalSPS:
		b := bits{data: unescape(buf[:], nal)}
		b.skip(8 + 24) // its header, profile, constraints and level
		if id := b.golomb(); !b.over {
			s.sequence.put(id, nal, maxSequenceSets)
		}
	case nalPPS:
		b := bits{data: unescape(buf[:], nal)}
		b.skip(8)
		if id := b.golomb(); !b.over {
			s.picture.put(id, nal, maxPictureSets)
		}
	}
}

// put keeps a set under its number, in the place of an older one. What is too much
// is left out.
func (l *setList) put(id uint32, nal []byte, most int) {
	for i, known := range l.ids {
		if known == id {
			if l.bytes+len(nal)-len(l.units[i]) <= maxSetsBytes {
				l.bytes += len(nal) - len(l.units[i])
				l.units[i] = append([]byte(nil), nal...)
			}
			return
		}
	}
	if len(l.ids) < most && l.bytes+len(nal) <= maxSetsBytes {
		l.ids = append(l.ids, id)
		l.units = append(l.units, append([]byte(nil), nal...))
		l.bytes += len(nal)
	}
}

// complete returns frame with the sets that an IDR picture in it lacks: all that
// are known of a kind of which it has none.
func (s *h264Sets) complete(frame []byte) []byte {
	var sps, pps, idr bool
	picture := 0 // where the first part of the picture begins
	for rest := frame; !idr; {
		nal, after, ok := nextNAL(rest)
		if !ok {
			return frame
		}
		switch t := nal[0] & nalTypeMask; {
		case t == nalSPS:
			sps = true
		case t == nalPPS:
			pps = true
		case t == nalIDR:
			idr, picture = true, len(frame)-len(rest)
		case isVCL(t):
			return frame
		}
		rest = after
	}
	if sps && pps {
		return frame
	}
	// Sequence sets go in front: picture sets refer to them.
	data := make([]byte, 0, len(frame)+s.sequence.bytes+s.picture.bytes+nalLength*(len(s.sequence.ids)+len(s.picture.ids)))
	if !sps {
		data = s.sequence.appendTo(data)
	}
	data = append(data, frame[:picture]...)
	if !pps {
		data = s.picture.appendTo(data)
	}
	return append(data, frame[picture:]...)
}

func (l *setList) appendTo(frame []byte) []byte {
	for _, nal := range l.units {
		frame = appendNAL(frame, nal)
	}
	return frame
}
