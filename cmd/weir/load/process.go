package load

import (
	"sync"
	"time"
)

// sampleInterval is how often the server's memory is looked at while viewers
// come.
const sampleInterval = 100 * time.Millisecond

// process measures the server's process. A nil *process measures nothing.
type process struct {
	pid      int
	profiles string // URL; "": none
	before   int64  // RSS in kB, before the first viewer

	// of the window
	ramp  int64 // RSS in kB at its start
	cpu   time.Duration
	start time.Time
	err   error

	goroutines Figure // of a Go server that has profiles
	countErr   error  // why they are unknown

	stop    chan struct{} // closed when no more samples are wanted
	stopped sync.Once
	running sync.WaitGroup
	samples []memory // owned by the sampling goroutine until it has ended
}

// memory is the server's memory with some viewers.
type memory struct{ viewers, rss int64 }

// watchProcess looks whether there is such a process.
func watchProcess(pid int, profiles string) (*process, error) {
	rss, err := processRSS(pid)
	if err != nil {
		return nil, err
	}
	return &process{pid: pid, profiles: profiles, before: rss, goroutines: unknown, stop: make(chan struct{})}, nil
}

// sample begins to look at the memory, until begin or close.
func (p *process) sample(viewers func() int64) {
	p.running.Go(func() {
		tick := time.NewTicker(sampleInterval)
		defer tick.Stop()
		for {
			if rss, err := processRSS(p.pid); err == nil {
				p.samples = append(p.samples, memory{viewers(), rss})
			}
			select {
			case <-tick.C:
			case <-p.stop:
				return
			}
		}
	})
}

// startWindow begins the window.
func (p *process) startWindow() {
	if p == nil {
		return
	}
	p.close()
	p.ramp, p.err = processRSS(p.pid)
	p.start = time.Now()
	if p.err == nil {
		p.cpu, p.err = processCPU(p.pid)
	}
}

// finish ends the window, in which the viewers received so many packets.
func (p *process) finish(packets int64) *Server {
	if p == nil {
		return nil
	}
	s := &Server{PID: p.pid, CPUPercent: unknown, CPUPerPacket: unknown, RSSBefore: p.before, RSSRamp: p.ramp, RSSPerViewer: slope(p.samples), Goroutines: p.goroutines}
	cpu, err := processCPU(p.pid)
	took := time.Since(p.start)
	if err == nil {
		s.RSSEnd, err = processRSS(p.pid)
	}
	if err == nil {
		err = p.err
	}
	if err != nil {
		s.Error = err.Error()
		return s
	}
	s.CPUPercent = 100 * ratio(cpu-p.cpu, took)
	s.CPUPerPacket = ratio(cpu-p.cpu, packets) / Figure(time.Microsecond)
	if p.countErr != nil {
		s.Error = p.countErr.Error()
	}
	return s
}

// close ends the sampling.
func (p *process) close() {
	if p == nil {
		return
	}
	p.stopped.Do(func() { close(p.stop) })
	p.running.Wait()
}

// slope is the memory of one viewer more: the straight line through all samples
// with the least squares.
func slope(samples []memory) Figure {
	n := float64(len(samples))
	var x, y, xx, xy float64
	for _, s := range samples {
		v, r := float64(s.viewers), float64(s.rss)
		x, y, xx, xy = x+v, y+r, xx+v*v, xy+v*r
	}
	return ratio(n*xy-x*y, n*xx-x*x)
}
