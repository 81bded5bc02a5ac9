package sfu

// State is where a stream stands. Events move it on, by this table; a dash means that
// it stays where it is:
//
//	           claim      media  lost     stop   replace  expire
//	Claimed    -          Live   Ended    Ended  -        -
//	Live       -          -      Waiting  Ended  -        -
//	Waiting    returning  -      -        -      -        Ended
//	returning  -          Live   Waiting  Ended  Ended    -
//	Ended      -          -      -        -      -        -
//
// Only the hub moves a stream, with its lock held; the state may be read without.
type State uint8

// The states of a stream.
const (
	// Claimed: a publisher has the name, and no media have come yet.
	Claimed State = iota
	// Live: a publisher sends.
	Live
	// Waiting: the publisher was lost, and may come back until the grace is over.
	Waiting
	// returning: a publisher has the name that may go on with the stream, and has sent
	// nothing yet. To others than the hub it is Waiting.
	returning
	// Ended: nothing follows, and the name is free.
	Ended

	states = iota
)

var stateNames = [states]string{Claimed: "claimed", Live: "live", Waiting: "waiting", returning: "returning", Ended: "ended"}

// String returns the state's name for logs.
func (s State) String() string { return stateNames[s] }

// happening is what moves a stream from one state to another.
type happening uint8

const (
	happensClaim   happening = iota // a publisher asks for the name
	happensMedia                    // a packet or a frame was written
	happensLost                     // the publisher is gone, and may come back
	happensStop                     // the publisher is gone for good
	happensReplace                  // the publisher that has come back has other tracks or options
	happensExpire                   // the grace is over, or the hub shuts down

	happenings = iota
)

// transitions is the table above.
var transitions = [states][happenings]State{
	Claimed:   {Claimed, Live, Ended, Ended, Claimed, Claimed},
	Live:      {Live, Live, Waiting, Ended, Live, Live},
	Waiting:   {returning, Waiting, Waiting, Waiting, Waiting, Ended},
	returning: {returning, Live, Waiting, Ended, Ended, returning},
	Ended:     {Ended, Ended, Ended, Ended, Ended, Ended},
}

// after returns the state that follows s when h happens.
func (s State) after(h happening) State { return transitions[s][h] }

// shown returns the state as others than the hub see it.
func (s State) shown() State {
	if s == returning {
		return Waiting
	}
	return s
}

// state returns where the stream stands.
func (s *stream) state() State { return State(s.current.Load()) }

// move moves the stream on, and tells the watchers. It returns where it stood and
// stands. Called with hub.mu held.
func (s *stream) move(h happening) (from, to State) {
	from = s.state()
	to = from.after(h)
	if from == to {
		return from, to
	}
	s.current.Store(uint32(to))
	switch {
	case from == Claimed && to == Live:
		close(s.live)
		s.hub.tell(StreamLive, s)
	case from == returning && to == Live:
		s.hub.tell(StreamResumed, s)
	case from == Live && to == Waiting:
		s.hub.tell(StreamWaiting, s)
	case to == Ended:
		if h == happensReplace {
			s.hub.tell(StreamReplaced, s)
		}
		s.hub.tell(StreamEnded, s)
	}
	return from, to
}

// setLive notes that media have come. On the way of a packet it is one load.
func (s *stream) setLive() {
	if s.state() == Live {
		return
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	s.move(happensMedia)
}
