package layout

// How many bytes are kept free ahead of the first Cluster for the index.
const (
	DefaultReserve = 16 << 10
	MaxReserve     = 16 << 20
)
