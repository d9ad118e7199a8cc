using System.Net;

namespace Hosting.Api.Tests;

public sealed class OverloadTests
{
    private static readonly CancellationToken Cancel = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Requests_beyond_those_that_may_wait_are_refused_at_once_and_probes_are_not()
    {
        await using var api = new ApiHost();
        await api.InitializeAsync();
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        const int WorkedOn = 256;
        const int Waiting = 512;
        const int Refused = 20;

        var asking = Enumerable.Range(0, WorkedOn + Waiting + Refused).Select(_ => Ask(api, enough.Token)).ToList();
        var answers = new List<HttpResponseMessage>();
        await foreach (var answer in Task.WhenEach(asking).WithCancellation(Cancel))
        {
            answers.Add(await answer);
            if (answers.Count == Refused)
                break;
        }

        Assert.All(answers, answer =>
        {
            Assert.Equal((HttpStatusCode.ServiceUnavailable, "application/problem+json"), (answer.StatusCode, answer.Content.Headers.ContentType?.MediaType));
            Assert.NotNull(answer.Headers.RetryAfter);
        });
        Assert.Contains("Nothing was done", await answers[0].Content.ReadAsStringAsync(Cancel));
        Assert.Equal("ok\n", await api.Http.GetStringAsync("/healthz", Cancel));
        await enough.CancelAsync();
    }

    private static async Task<HttpResponseMessage> Ask(ApiHost api, CancellationToken cancel)
    {
        // Of this app no answer comes.
        using var request = new HttpRequestMessage(HttpMethod.Put, "/v1/apps/silent") { Content = new StringContent("""{"image":"a:1","port":80}""", null, "application/json") };
        return await api.Http.SendAsync(request, cancel);
    }
}
