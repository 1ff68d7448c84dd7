using Microsoft.AspNetCore.Http;

namespace Meanwhile.Web;

/// <summary>Sends to readers that may be slow, and not to those that are stuck.</summary>
internal static class ResponseExtensions
{
    /// <summary>Sends some bytes: the response holds 64 KiB and then waits for the reader.</summary>
    /// <exception cref="OperationCanceledException">The reader has not taken anything for so long, or has gone.</exception>
    public static async Task WriteAsync(this HttpResponse response, ReadOnlyMemory<byte> bytes, TimeSpan longestStall, TimeProvider time, CancellationToken ending)
    {
        try
        {
            await response.Body.WriteAsync(bytes, ending).AsTask().WaitAsync(longestStall, time, ending);
        }
        catch (TimeoutException e)
        {
            throw new OperationCanceledException("the reader is stuck", e);
        }
    }
}
