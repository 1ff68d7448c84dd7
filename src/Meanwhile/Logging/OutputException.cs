using System.Runtime.InteropServices;

namespace Meanwhile.Logging;

/// <summary>Standard output or standard error cannot be written to. The message is one line.</summary>
internal sealed class OutputException(string message, bool isReaderGone) : IOException(message)
{
    private const int BrokenPipe = 32;

    /// <summary>Whoever read it has ended, as <c>head</c> does when it has enough: nothing went wrong.</summary>
    public bool IsReaderGone { get; } = isReaderGone;

    /// <summary>What an error of the system means.</summary>
    public static OutputException Of(int handle, int error) => new(
        $"{(handle == StandardHandle.Output ? "standard output" : "standard error")} cannot be written ({Marshal.GetPInvokeErrorMessage(error)}): expected a place with room that can be written to",
        error == BrokenPipe || error == (OperatingSystem.IsMacOS() ? 54 : 104)); // ECONNRESET, where it is a socket.
}
