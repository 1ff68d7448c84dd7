using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Meanwhile.Tests.Support;
using Meanwhile.Web;

namespace Meanwhile.Tests.Web;

/// <summary>The files of the dashboard, as they are served.</summary>
public sealed class DashboardAssetsTests : HttpTest
{
    // Of uPlot 1.6.32 as npm has it: dist/uPlot.iife.min.js and dist/uPlot.min.css.
    [Theory]
    [InlineData("uPlot-1.6.32.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f")]
    [InlineData("uPlot-1.6.32.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04")]
    public void Files_of_others_are_unchanged(string name, string digest)
    {
        using var file = typeof(WebServer).Assembly.GetManifestResourceStream($"dashboard/vendor/{name}")!;
        Assert.Equal(digest, Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    [Fact]
    public async Task They_are_kept_by_the_browser_and_bound_by_a_policy()
    {
        var (_, http, _) = await ServeAsync();
        foreach (var (path, type) in new[] { ("/", "text/html"), ("/assets/app.js", "text/javascript"), ("/assets/style.css", "text/css"), ("/assets/icon.svg", "image/svg+xml") })
        {
            using var answer = await Client.GetAsync(new Uri(http, path), TestContext.Current.CancellationToken);
            Assert.Equal(type, answer.Content.Headers.ContentType?.MediaType);
            Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
            var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
            Assert.StartsWith("default-src 'none'; script-src 'self'; style-src 'self';", policy, StringComparison.Ordinal);
            Assert.DoesNotContain("unsafe", policy, StringComparison.Ordinal);

            using var again = new HttpRequestMessage(HttpMethod.Get, new Uri(http, path)) { Headers = { IfNoneMatch = { answer.Headers.ETag! } } };
            using var unchanged = await Client.SendAsync(again, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);

            using var packed = new HttpRequestMessage(HttpMethod.Get, new Uri(http, path)) { Headers = { AcceptEncoding = { new StringWithQualityHeaderValue("gzip") } } };
            using var smaller = await Client.SendAsync(packed, TestContext.Current.CancellationToken);
            Assert.Equal("gzip", smaller.Content.Headers.ContentEncoding.Single());
            Assert.True(smaller.Content.Headers.ContentLength < answer.Content.Headers.ContentLength);
        }
    }
}
