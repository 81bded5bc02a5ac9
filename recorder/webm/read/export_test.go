package read

// Work returns how much the lookout has looked at.
func (r *Reader) Work() int64 { return r.look.work }

// Begun returns how many bytes there are of an element that is not whole.
func (r *Reader) Begun() int { return r.have + len(r.buf) }

var ClusterMagic = clusterMagic

const LeastBlock = leastBlock

const DefaultMaxElement = defaultMaxElement

const KeepCollected = keepCollected
