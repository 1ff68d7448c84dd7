using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http;
using Microsoft.Net.Http.Headers;

namespace Meanwhile.Web;

/// <summary>The dashboard: files that are part of the program. There is no secret in them; what they show they have to ask for.</summary>
internal static class Assets
{
    private const string Prefix = "dashboard/";
    private const string FirstPage = "index.html";

    // Nothing but our own files, and texts that nobody can turn into markup: topics and payloads are strangers'.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

    private static readonly Assembly Home = typeof(Assets).Assembly;

    /// <summary>All of them; the first page is at the root.</summary>
    public static IEnumerable<Route> Routes =>
        from name in Home.GetManifestResourceNames()
        where name.StartsWith(Prefix, StringComparison.Ordinal)
        let file = name[Prefix.Length..]
        let asset = new Lazy<Asset>(() => new Asset(name))
        select new Route(file == FirstPage ? "/" : $"/assets/{file}", [], context => ServeAsync(context, asset.Value), IsOpen: true);

    private static Task ServeAsync(HttpContext context, Asset asset)
    {
        var headers = context.Response.Headers;
        headers.CacheControl = "no-cache"; // May be kept, and is asked for anew: another version of the program has other files.
        headers.ETag = asset.Tag;
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.ContentSecurityPolicy = Policy;
        headers["Referrer-Policy"] = "no-referrer";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(asset.Tag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        var packed = context.Request.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.OrdinalIgnoreCase);
        if (packed)
            headers.ContentEncoding = "gzip";
        return Json.SendAsync(context, asset.ContentType, packed ? asset.Packed : asset.Content);
    }

    private sealed class Asset
    {
        public Asset(string name)
        {
            using var resource = Home.GetManifestResourceStream(name)!;
            Content = new byte[resource.Length];
            resource.ReadExactly(Content);
            Packed = Pack(Content);
            Tag = $"\"{Convert.ToHexStringLower(SHA256.HashData(Content).AsSpan(0, 16))}\"";
            ContentType = Path.GetExtension(name) switch
            {
                ".html" => "text/html; charset=utf-8",
                ".css" => "text/css; charset=utf-8",
                ".js" => "text/javascript; charset=utf-8",
                ".svg" => "image/svg+xml",
                _ => "text/plain; charset=utf-8",
            };
        }

        public byte[] Content { get; }

        public byte[] Packed { get; }

        public string Tag { get; }

        public string ContentType { get; }

        private static byte[] Pack(byte[] content)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Optimal))
                gzip.Write(content);
            return packed.ToArray();
        }
    }
}
