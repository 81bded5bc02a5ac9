package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"weir/cmd/weir/load"
)

// startTimeout is how long a server may take until it is ready.
const startTimeout = 10 * time.Second

// benchServer is a server that runs for one load: its own process, on free ports
// of loopback, that records into a folder of its own.
type benchServer struct {
	command  *exec.Cmd
	dir      string
	url      string
	profiles string // URL of --admin-addr; "": off

	ended chan struct{} // closed when the process has ended
	err   error         // how, once it has
}

// measure runs one load. The error tells what could not be measured; a report of
// viewers that failed is one, too.
func (b bench) measure(ctx context.Context, l benchLoad) (_ *load.Report, err error) {
	s, err := b.serve(ctx, l.count, l.serve...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	duration := b.duration
	if l.most > 0 {
		duration = min(duration, l.most)
	}
	if l.during != nil {
		ctx, end := context.WithCancel(ctx)
		var watching sync.WaitGroup
		watching.Go(func() { l.during(ctx, s.url) })
		defer watching.Wait()
		defer end()
	}
	args := slices.Concat([]string{"load", "--json", "--answer-pli=false", "--whip", s.url + "/whip/{name}", "--whep", s.url + "/whep/{name}",
		"--pid", strconv.Itoa(s.command.Process.Pid), "--duration", duration.String()}, l.args)
	if l.count {
		args = append(args, "--profiles", s.profiles)
	}
	command := exec.CommandContext(ctx, b.binary, args...)
	command.Env = plainEnviron()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	stdout, err := command.Output()
	if ctx.Err() != nil {
		return nil, errors.New("it was interrupted")
	}
	if err != nil {
		return nil, fmt.Errorf("weir load: %w: %s", err, strings.TrimSpace(stderr.String()))
	}
	report := &load.Report{}
	if err := json.Unmarshal(stdout, report); err != nil {
		return nil, fmt.Errorf("weir load: %w", err)
	}
	if report.Server != nil && report.Server.Error != "" {
		return nil, errors.New(report.Server.Error)
	}
	return report, nil
}

// plainEnviron is the environment without settings of weir.
func plainEnviron() []string {
	return slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "WEIR_") })
}

// serve starts a server, with more flags, and waits until it is ready.
func (b bench) serve(ctx context.Context, profiles bool, more ...string) (*benchServer, error) {
	dir, err := os.MkdirTemp("", "weir-bench-")
	if err != nil {
		return nil, err
	}
	s := &benchServer{dir: dir}
	args := []string{"serve", "--http-addr", "127.0.0.1:0", "--rtc-addr", "127.0.0.1:0", "--data-dir", filepath.Join(dir, "data")}
	if profiles {
		args = append(args, "--admin-addr", "127.0.0.1:0")
	}
	args = append(args, more...)
	s.command = exec.CommandContext(ctx, b.binary, args...)
	s.command.Env = plainEnviron()
	s.command.Cancel = func() error { return s.command.Process.Signal(syscall.SIGTERM) }
	s.command.WaitDelay = shutdownTimeout
	// Files, not pipes: no reader has to be there for what it logs.
	out, err1 := os.Create(filepath.Join(dir, "stdout"))
	log, err2 := os.Create(filepath.Join(dir, "stderr"))
	defer out.Close()
	defer log.Close()
	s.command.Stdout, s.command.Stderr = out, log
	if err := errors.Join(err1, err2); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.command.Start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		s.err = s.command.Wait()
	}()
	if err := s.await(ctx, profiles); err != nil {
		return nil, errors.Join(err, s.stop())
	}
	return s, nil
}

var (
	publishURL  = regexp.MustCompile(`publish +(http://\S+)/publish\n`)
	profilesURL = regexp.MustCompile(`msg=profiles url=(http://\S+)/debug/pprof/\n`)
)

// await reads where the server is.
func (s *benchServer) await(ctx context.Context, profiles bool) error {
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline) && ctx.Err() == nil; {
		select {
		case <-s.ended:
			return errors.New("weir serve has ended before it was ready")
		case <-time.After(10 * time.Millisecond):
		}
		out, err1 := os.ReadFile(filepath.Join(s.dir, "stdout"))
		log, err2 := os.ReadFile(filepath.Join(s.dir, "stderr"))
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		publish, admin := publishURL.FindSubmatch(out), profilesURL.FindSubmatch(log)
		if publish == nil || profiles && admin == nil || !bytes.Contains(out, []byte("Ctrl-C stops")) {
			continue
		}
		s.url = string(publish[1])
		if profiles {
			s.profiles = string(admin[1])
		}
		return nil
	}
	return fmt.Errorf("weir serve is not ready within %v", startTimeout)
}

// stop ends the server and removes its folder. The error says how it ended, if not
// as it should, with the last that it logged.
func (s *benchServer) stop() error {
	_ = s.command.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	late := time.AfterFunc(shutdownTimeout+5*time.Second, func() { _ = s.command.Process.Kill() })
	defer late.Stop()
	<-s.ended
	err := s.err
	if err != nil {
		log, readErr := os.ReadFile(filepath.Join(s.dir, "stderr"))
		if readErr != nil && !errors.Is(readErr, fs.ErrNotExist) {
			err = errors.Join(err, readErr)
		}
		lines := strings.Split(strings.TrimSpace(string(log)), "\n")
		err = fmt.Errorf("weir serve: %w: %s", err, lines[len(lines)-1])
	}
	return errors.Join(err, os.RemoveAll(s.dir))
}
