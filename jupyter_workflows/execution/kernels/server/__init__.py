"""The process from which kernels are forked. It must import little, and never have a second thread."""
