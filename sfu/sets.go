package sfu

// TellSets takes in parameter sets that the source learned of apart from the media
// (H.264: an AVCDecoderConfigurationRecord), each a NAL unit, for the frames that it
// writes. It does nothing for other codecs.
func (w *TrackWriter) TellSets(sets ...[]byte) {
	if w.sets == nil {
		return
	}
	for _, nal := range sets {
		w.sets.Learn(nal)
	}
}
