package peer

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/pion/logging"
)

// loggerFactory gives pion's logging to a structured logger. A message that pion calls
// a warning or an error is most often one client's bad network, so it is a debug
// message here; its own debug and trace messages come per packet and are left out.
type loggerFactory struct{ log *slog.Logger }

// NewLogger implements logging.LoggerFactory.
func (f loggerFactory) NewLogger(scope string) logging.LeveledLogger {
	return leveledLogger{f.log.With("scope", scope)}
}

type leveledLogger struct{ log *slog.Logger }

func (l leveledLogger) message(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug(fmt.Sprintf(format, args...))
	}
}

func (l leveledLogger) Trace(string)              {}
func (l leveledLogger) Tracef(string, ...any)     {}
func (l leveledLogger) Debug(string)              {}
func (l leveledLogger) Debugf(string, ...any)     {}
func (l leveledLogger) Info(string)               {}
func (l leveledLogger) Infof(string, ...any)      {}
func (l leveledLogger) Warn(msg string)           { l.message("%s", msg) }
func (l leveledLogger) Warnf(f string, a ...any)  { l.message(f, a...) }
func (l leveledLogger) Error(msg string)          { l.message("%s", msg) }
func (l leveledLogger) Errorf(f string, a ...any) { l.message(f, a...) }
