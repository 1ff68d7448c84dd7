namespace Meanwhile.Trials;

/// <summary>A trial or a benchmark cannot go on. The message is one line: what was wrong, where, what was expected and what to do.</summary>
internal sealed class TrialException(string message, Exception? inner = null) : Exception(message, inner);
