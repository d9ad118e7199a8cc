using System.Net;

namespace Hosting.Cli.Api;

/// <summary>
/// Repeats a request that the platform answered with "not now" (503): every request of the API changes nothing when it is
/// made twice. Gives up after a few seconds with the last answer.
/// </summary>
internal sealed class RepeatWhileUnavailable(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);
    private const int LeastPause = 100;
    private const int MostPause = 400;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var begun = TimeProvider.System.GetTimestamp();
        while (true)
        {
            var answer = await base.SendAsync(request, cancellationToken);
            if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || TimeProvider.System.GetElapsedTime(begun) > Patience)
                return answer;
            answer.Dispose();
            await Task.Delay(Random.Shared.Next(LeastPause, MostPause), cancellationToken);
        }
    }
}
