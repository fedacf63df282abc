# Takes the machine out of its cluster; the stages stay.
#
# Parameters: none

stage_remove() { node_reset; undo_ended; }
