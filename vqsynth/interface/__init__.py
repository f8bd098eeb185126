"""The public interface of the discrete models; the command line is a thin call of it."""
