using Yarp.ReverseProxy.Forwarder;

namespace Hosting.Gateway.Proxy;

/// <summary>How a try to deliver a request ended, by what is known about the replica's part in it.</summary>
internal enum DeliveryFailure
{
    /// <summary>It was answered, or nobody waits for an answer any more.</summary>
    None,

    /// <summary>There was no replica to try.</summary>
    NoReplica,

    /// <summary>No connection, so the replica saw nothing of the request and nothing of its body was read.</summary>
    Connect,

    /// <summary>The connection ended before a byte of an answer: the replica may have carried the request out.</summary>
    Reset,

    /// <summary>Anything else; a repetition would be neither safe nor of use.</summary>
    Final,
}

/// <summary>Reads YARP's errors.</summary>
internal static class DeliveryFailures
{
    /// <summary>What a try that YARP reported an error for means; the response has not started.</summary>
    public static DeliveryFailure Classify(IForwarderErrorFeature error, int status) => error switch
    {
        { Error: ForwarderError.RequestTimedOut, Exception: { } e } when IsConnectTimeout(e) => DeliveryFailure.Connect,
        { Error: ForwarderError.Request, Exception: HttpRequestException e } => OfRequest(e),
        // The head of an answer came and nothing after it: as long as none of it was passed on, that is no answer.
        { Error: ForwarderError.ResponseBodyDestination } => DeliveryFailure.Reset,
        { Error: ForwarderError.RequestBodyClient or ForwarderError.RequestBodyDestination } when status < 400 => DeliveryFailure.None,
        _ => DeliveryFailure.Final,
    };

    /// <summary>Whether the request may be delivered again after this.</summary>
    public static bool MayRepeat(DeliveryFailure failure, HttpRequest request, bool hasBody) => failure switch
    {
        DeliveryFailure.NoReplica or DeliveryFailure.Connect => true,
        DeliveryFailure.Reset => !hasBody && IsIdempotent(request.Method),
        _ => false,
    };

    private static DeliveryFailure OfRequest(HttpRequestException e) => e.HttpRequestError switch
    {
        HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError => DeliveryFailure.Connect,
        HttpRequestError.ResponseEnded => DeliveryFailure.Reset,
        _ when e.InnerException is IOException => DeliveryFailure.Reset,
        _ => DeliveryFailure.Final,
    };

    /// <summary>The connect timeout is told from the activity timeout by its inner exception alone.</summary>
    private static bool IsConnectTimeout(Exception e) => e is OperationCanceledException { InnerException: TimeoutException };

    private static bool IsIdempotent(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method)
        || HttpMethods.IsPut(method) || HttpMethods.IsDelete(method) || HttpMethods.IsTrace(method);
}
