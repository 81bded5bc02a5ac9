package recorder

import (
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"modernc.org/sqlite" // the driver, too
)

// indexName is the file of the index, below Config.Dir. No stream's name begins
// with a dot.
const indexName = ".index.sqlite"

// index is a database of the sidecars of recordings that have ended. It answers
// queries; it is not the truth. A damaged one is mended by deleting it.
type index struct{ db *sql.DB }

func init() { // the driver is one for the whole program
	// SQLite by itself knows upper and lower case of ASCII alone.
	sqlite.MustRegisterDeterministicScalarFunction("fold", 1, func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		text, ok := args[0].(string)
		if !ok {
			return nil, nil // a recording without a title
		}
		return fold(text), nil
	})
}

const schema = `
CREATE TABLE IF NOT EXISTS recordings (
	id         TEXT PRIMARY KEY,
	stream     TEXT NOT NULL,
	stream_id  TEXT NOT NULL,
	state      TEXT NOT NULL,
	started_at INTEGER NOT NULL, -- ns since 1970
	ended_at   INTEGER NOT NULL,
	bytes      INTEGER NOT NULL,
	base       TEXT NOT NULL,    -- path without suffix
	stamp      TEXT NOT NULL,    -- of the sidecar that it was read from
	sidecar    BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS newest ON recordings (started_at DESC, id);
CREATE INDEX IF NOT EXISTS newest_of_stream ON recordings (stream, started_at DESC, id);
CREATE INDEX IF NOT EXISTS of_broadcast ON recordings (stream_id);
CREATE INDEX IF NOT EXISTS oldest_end ON recordings (ended_at);
PRAGMA user_version = 1;
`

// openIndex opens the index in a folder. One that is not in order is replaced by
// an empty one; where there is no room for that, it is kept in memory.
func openIndex(dir string, log *slog.Logger) (*index, error) {
	file := filepath.Join(dir, indexName)
	x, err := tryIndex(file)
	if err == nil {
		return x, nil
	}
	log.Warn("index of the recordings is made anew", "reason", err)
	if x, err = renewIndex(file, err); err == nil {
		return x, nil
	}
	log.Error("index of the recordings is kept in memory", "reason", err)
	return tryIndex("")
}

// renewIndex puts an empty index in the place of one that failed with err.
func renewIndex(file string, err error) (*index, error) {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if gone := ignoreMissing(os.Remove(file + suffix)); gone != nil {
			return nil, fmt.Errorf("recorder: index: %w", errors.Join(err, gone))
		}
	}
	return tryIndex(file)
}

// tryIndex opens the index in a file, or one in memory if file is empty.
func tryIndex(file string) (_ *index, err error) {
	source := ":memory:"
	if file != "" {
		path, err := filepath.Abs(file)
		if err != nil {
			return nil, fmt.Errorf("recorder: index: %w", err)
		}
		// Nothing is forced to the disk: the sidecars are.
		u := url.URL{Scheme: "file", Path: filepath.ToSlash(path), RawQuery: url.Values{
			"_pragma": {"journal_mode(WAL)", "synchronous(OFF)", "busy_timeout(10000)"},
		}.Encode()}
		source = u.String()
	}
	db, err := sql.Open("sqlite", source)
	if err != nil {
		return nil, fmt.Errorf("recorder: index: %w", err)
	}
	defer func() {
		if err != nil {
			db.Close()
		}
	}()
	db.SetMaxOpenConns(4)
	if file == "" { // each connection would have one of its own
		db.SetMaxOpenConns(1)
		db.SetConnMaxIdleTime(0)
		db.SetConnMaxLifetime(0)
	}
	var found string
	if err := db.QueryRow("PRAGMA quick_check(1)").Scan(&found); err != nil || found != "ok" {
		return nil, fmt.Errorf("recorder: index: %s, %w", found, errors.Join(err, fs.ErrInvalid))
	}
	var version int
	if err := db.QueryRow("PRAGMA user_version").Scan(&version); err != nil || version > 1 {
		return nil, fmt.Errorf("recorder: index: version %d, %w", version, errors.Join(err, fs.ErrInvalid))
	}
	if _, err := db.Exec(schema); err != nil {
		return nil, fmt.Errorf("recorder: index: %w", err)
	}
	return &index{db}, nil
}

func (x *index) close() error { return x.db.Close() }

// indexed is a recording as it is put into the index.
type indexed struct {
	rec   *Recording
	stamp string
}

// put adds recordings, or replaces them.
func (x *index) put(all ...indexed) error {
	tx, err := x.db.Begin()
	if err != nil {
		return fmt.Errorf("recorder: index: %w", err)
	}
	defer tx.Rollback()
	for _, one := range all {
		r := one.rec
		sidecar, err := json.Marshal(r)
		if err != nil {
			return fmt.Errorf("recorder: index: %w", err)
		}
		ended := r.StartedAt
		if r.EndedAt != nil {
			ended = *r.EndedAt
		}
		if _, err := tx.Exec(`INSERT OR REPLACE INTO recordings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, r.ID, r.Stream, r.StreamID,
			string(r.State), r.StartedAt.UnixNano(), ended.UnixNano(), r.size(), r.base, one.stamp, sidecar); err != nil {
			return fmt.Errorf("recorder: index: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("recorder: index: %w", err)
	}
	return nil
}

// removePaths takes out what lies at these paths.
func (x *index) removePaths(bases ...string) error { return x.removeBy("base", bases) }

// remove takes recordings out.
func (x *index) remove(ids ...string) error { return x.removeBy("id", ids) }

func (x *index) removeBy(column string, values []string) error {
	tx, err := x.db.Begin()
	if err != nil {
		return fmt.Errorf("recorder: index: %w", err)
	}
	defer tx.Rollback()
	for _, v := range values {
		if _, err := tx.Exec("DELETE FROM recordings WHERE "+column+" = ?", v); err != nil {
			return fmt.Errorf("recorder: index: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("recorder: index: %w", err)
	}
	return nil
}

// stamps returns the stamp of each recording, by its path.
func (x *index) stamps() (map[string]string, error) {
	rows, err := x.db.Query(`SELECT base, stamp FROM recordings`)
	if err != nil {
		return nil, fmt.Errorf("recorder: index: %w", err)
	}
	defer rows.Close()
	all := map[string]string{}
	for rows.Next() {
		var base, stamp string
		if err := rows.Scan(&base, &stamp); err != nil {
			return nil, fmt.Errorf("recorder: index: %w", err)
		}
		all[base] = stamp
	}
	return all, rows.Err()
}

// get returns the recording with that id, or ErrNotFound.
func (x *index) get(id string) (*Recording, error) {
	list, err := x.read(`SELECT base, sidecar FROM recordings WHERE id = ?`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ErrNotFound
	}
	return list[0], nil
}

// list returns the first recordings that q selects, newest first, at most limit.
func (x *index) list(q Query, after *Recording, limit int) ([]*Recording, error) {
	where, args := q.where()
	if after != nil {
		where = append(where, "(started_at < ? OR started_at = ? AND id > ?)")
		at := after.StartedAt.UnixNano()
		args = append(args, at, at, after.ID)
	}
	text := "SELECT base, sidecar FROM recordings"
	if len(where) > 0 {
		text += " WHERE " + strings.Join(where, " AND ")
	}
	return x.read(text+" ORDER BY started_at DESC, id LIMIT ?", append(args, limit)...)
}

// oldest returns recordings by the time of their end, which is before that one.
func (x *index) oldest(before time.Time, limit int) ([]*Recording, error) {
	return x.read(`SELECT base, sidecar FROM recordings WHERE ended_at < ? ORDER BY ended_at LIMIT ?`, before.UnixNano(), limit)
}

// bytes returns the size of all recordings.
func (x *index) bytes() (n int64, err error) {
	if err := x.db.QueryRow(`SELECT COALESCE(SUM(bytes), 0) FROM recordings`).Scan(&n); err != nil {
		return 0, fmt.Errorf("recorder: index: %w", err)
	}
	return n, nil
}

func (x *index) read(query string, args ...any) ([]*Recording, error) {
	rows, err := x.db.Query(query, args...)
	if err != nil {
		return nil, fmt.Errorf("recorder: index: %w", err)
	}
	defer rows.Close()
	var list []*Recording
	for rows.Next() {
		r := &Recording{}
		var sidecar []byte
		if err := rows.Scan(&r.base, &sidecar); err != nil {
			return nil, fmt.Errorf("recorder: index: %w", err)
		}
		if err := json.Unmarshal(sidecar, r); err != nil {
			return nil, fmt.Errorf("recorder: index: %w", err)
		}
		list = append(list, r)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("recorder: index: %w", err)
	}
	return list, nil
}
